/** Rows of a query that renew themselves when the tables behind them change. */
import type { Query } from '../schema/row_label'
import { engine } from './current'
import type { EngineError, Row } from './port'

export interface Live<T extends Row> {
  readonly rows: T[]
  /** The first row, if any. */
  readonly first: T | undefined
  /** False until the first answer came. */
  readonly ready: boolean
  readonly error: EngineError | null
}

/**
 * Call while a component is set up. `source` may read state: when that changes the query is asked anew, and the old rows stay
 * until the new ones come, so that nothing flickers while someone types. `null` asks nothing.
 */
export function liveQuery<T extends Row>(source: () => Query | null): Live<T> {
  let rows = $state.raw<T[]>([])
  let ready = $state(false)
  let error = $state.raw<EngineError | null>(null)
  const query = $derived(source())
  // The same question asked again is no new question: a re-render must not restart it.
  const question = $derived(query ? JSON.stringify([query.sql, query.parameters]) : null)

  $effect(() => {
    if (question === null) {
      rows = []
      ready = false
      return
    }
    const [sql, parameters] = JSON.parse(question) as [string, Query['parameters']]
    return engine().live(
      sql,
      parameters,
      (answer) => {
        // The one place where a query's author vouches for the shape of its rows.
        rows = answer as T[]
        ready = true
        error = null
      },
      (problem) => {
        error = problem
        ready = true
      },
    )
  })

  return {
    get rows() {
      return rows
    },
    get first() {
      return rows[0]
    },
    get ready() {
      return ready
    },
    get error() {
      return error
    },
  }
}
