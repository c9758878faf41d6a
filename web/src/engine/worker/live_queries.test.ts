import { beforeEach, describe, expect, it } from 'vitest'
import type { EngineError } from '../port'
import { LiveQueries } from './live_queries'
import type { Question } from './protocol'

let rows: Record<string, string>
let asked: string[]
let sent: [watch: number, rows: string][]
let failed: [watch: number, error: EngineError][]
let timers: { after: number; callback: () => void }[]
let time: number
let cost: number
let live: LiveQueries

const about = (sql: string): Question => ({ sql, parameters: [] })

function runTimers() {
  for (const { callback } of timers.splice(0)) callback()
}

beforeEach(() => {
  rows = { beds: '[1]', patients: '[2]', 'beds,patients': '[3]' }
  asked = []
  sent = []
  failed = []
  timers = []
  time = 0
  cost = 0
  live = new LiveQueries({
    ask({ sql }) {
      asked.push(sql)
      time += cost
      const answer = rows[sql]
      if (answer === undefined) throw { code: 'invalid', message: 'no such table' } satisfies EngineError
      return answer
    },
    tablesOf: (sql) => sql.split(','),
    send: (watch, text) => sent.push([watch, text]),
    fail: (watch, error) => failed.push([watch, error]),
    later: (after, callback) => timers.push({ after, callback }),
    now: () => time,
  })
})

describe('live queries', () => {
  it('are answered at once', () => {
    live.watch(1, about('beds'))
    expect(sent).toEqual([[1, '[1]']])
  })

  it('are asked again only when a table that they read has changed', () => {
    live.watch(1, about('beds'))
    live.watch(2, about('patients'))
    live.watch(3, about('beds,patients'))
    asked = []
    live.changed(['patients'])
    runTimers()
    expect(asked).toEqual(['patients', 'beds,patients'])
  })

  it('send rows only if they differ', () => {
    live.watch(1, about('beds'))
    live.changed(['beds'])
    runTimers()
    expect(sent).toHaveLength(1)
    rows.beds = '[1,4]'
    live.changed(['beds'])
    runTimers()
    expect(sent.at(-1)).toEqual([1, '[1,4]'])
  })

  it('are asked once for several changes that come together', () => {
    live.watch(1, about('beds'))
    asked = []
    live.changed(['beds'])
    live.changed(['beds'])
    expect(timers).toHaveLength(1)
    runTimers()
    expect(asked).toEqual(['beds'])
  })

  it('do not wait when a person does', () => {
    live.watch(1, about('beds'))
    rows.beds = '[5]'
    live.changed(['beds'], 'now')
    expect(sent.at(-1)).toEqual([1, '[5]'])
  })

  it('leave most of the time to the copy that changes everything', () => {
    cost = 50
    live.watch(1, about('beds'))
    live.changed(['beds'])
    runTimers()
    live.changed(['beds'])
    expect(timers[0]?.after).toBe(200)
  })

  it('wait for seconds while the hospital is copied, and no longer once it is there', () => {
    live.watch(1, about('beds'))
    asked = []
    live.changed(['beds'], 'copying')
    live.changed(['beds'], 'copying')
    expect(timers.map((timer) => timer.after)).toEqual([5_000])
    live.changed(['patients'])
    expect(timers.map((timer) => timer.after)).toEqual([5_000, 0])
    runTimers()
    expect(asked).toEqual(['beds'])
  })

  it('are silent once unwatched', () => {
    live.watch(1, about('beds'))
    live.unwatch(1)
    rows.beds = '[]'
    live.changed(['beds'])
    expect(timers).toEqual([])
    expect(sent).toHaveLength(1)
  })

  it('say once why they fail, and recover', () => {
    live.watch(1, about('wards'))
    live.changed(['wards'], 'now')
    expect(failed).toEqual([[1, { code: 'invalid', message: 'no such table' }]])
    rows.wards = '[6]'
    live.changed(['wards'], 'now')
    expect(sent).toEqual([[1, '[6]']])
  })
})
