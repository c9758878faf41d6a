import { describe, expect, it } from 'vitest'
import { href, parseRoute } from './route'

describe('addresses', () => {
  it('reads path and parameters', () => {
    expect(parseRoute('#/patients/0190?tab=team')).toEqual({
      path: ['patients', '0190'],
      parameters: { tab: 'team' },
    })
  })

  it('takes nothing for the start', () => {
    expect(parseRoute('')).toEqual({ path: [], parameters: {} })
    expect(parseRoute('#/')).toEqual({ path: [], parameters: {} })
  })

  it('survives an address that was cut in the middle of a sign', () => {
    expect(parseRoute('#/patients/%E0%A4').path).toEqual(['patients', '%E0%A4'])
  })

  it('writes what it reads, whatever the signs', () => {
    const path = ['tables', 'staff_meeting_participants', 'a/b ü?&']
    const address = href(path, { find: '50 % & more?' })
    expect(parseRoute(address)).toEqual({ path, parameters: { find: '50 % & more?' } })
  })

  it('leaves empty parameters out', () => {
    expect(href(['stock'], { find: '', low: null, supply: undefined })).toBe('#/stock')
  })
})
