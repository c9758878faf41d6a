import { describe, expect, it } from 'vitest'
import { likeWhere } from './like'

describe('search by words', () => {
  it('finds everything for nothing typed', () => {
    expect(likeWhere(['name'], '  ')).toEqual({ where: '1', parameters: [] })
  })

  it('wants every word, in any of the columns', () => {
    const { where, parameters } = likeWhere(['last', 'first'], 'Vos, Ann')
    expect(where).toBe(
      String.raw`(last LIKE ?1 ESCAPE '\' OR first LIKE ?1 ESCAPE '\') AND (last LIKE ?2 ESCAPE '\' OR first LIKE ?2 ESCAPE '\')`,
    )
    expect(parameters).toEqual(['%Vos%', '%Ann%'])
  })

  it('takes the signs of LIKE as the signs they are', () => {
    expect(likeWhere(['name'], String.raw`5%_\ `).parameters).toEqual([String.raw`%5\%\_\\%`])
  })

  it('numbers its parameters from where it is told', () => {
    expect(likeWhere(['name'], 'a', 3).where).toContain('?3')
  })
})
