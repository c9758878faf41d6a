import { describe, expect, it } from 'vitest'
import { copyNotices, otherHospital } from './copy_words'

const RIGHT = { renewing: false, differences: 0, unfolded: 0 }
const about = (status: Partial<typeof RIGHT>) =>
  copyNotices({ ...RIGHT, ...status }).map((notice) => `${notice.about}: ${notice.tone}`)
const text = (status: Partial<typeof RIGHT>) =>
  copyNotices({ ...RIGHT, ...status })
    .map((notice) => notice.text)
    .join('\n')

describe('what is said of the copy', () => {
  it('is nothing while it is right', () => {
    expect(copyNotices(RIGHT)).toEqual([])
  })

  it('is, while it is renewed, that work goes on', () => {
    expect(about({ renewing: true, differences: 1 })).toEqual(['renewing: calm'])
    expect(text({ renewing: true, differences: 1 })).toBe(
      'Checking this device’s copy against the hospital… You can go on working.',
    )
  })

  it('is calm after it differed once, and says what to do if it does again', () => {
    expect(about({ differences: 1 })).toEqual(['differences: calm'])
    expect(text({ differences: 1 })).toContain('was renewed')
    expect(text({ differences: 1 })).toContain('If it happens again, tell your administrator')
  })

  it('asks to tell the administrator when it differs again and again', () => {
    expect(about({ differences: 3 })).toEqual(['differences: warn'])
    expect(text({ differences: 3 })).toMatch(/differed from the hospital’s 3 times\. Tell your administrator/)
    expect(about({ renewing: true, differences: 2 })).toEqual(['renewing: calm', 'differences: calm'])
  })

  it('asks to reload when something came that this version cannot show', () => {
    expect(about({ unfolded: 1 })).toEqual(['unfolded: warn'])
    expect(text({ unfolded: 1 })).toMatch(/cannot show 1 change from the hospital\. Reload the page/)
    expect(text({ unfolded: 2 })).toContain('2 changes')
  })
})

it('names the address that leads to another hospital, and whom to ask', () => {
  const words = otherHospital('https://ward.example')
  expect(words).toMatch(/^https:\/\/ward\.example now belongs to another hospital/)
  expect(words).toContain('kept on this device')
  expect(words).toContain('Tell your administrator')
})
