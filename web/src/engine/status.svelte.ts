/** The engine's status as state of the page, and a clock for "5 min ago". */
import { engine } from './current'
import type { Session, Status } from './port'

let current = $state.raw<Status | null>(null)
let now = $state.raw(new Date())

/** Call once, after the engine is open. */
export function followStatus(): void {
  engine().onStatus((status) => {
    current = status
    now = new Date()
  })
  setInterval(() => {
    now = new Date()
  }, 30_000)
}

export const status = {
  get current(): Status | null {
    return current
  },
  get session(): Session | null {
    return current?.session ?? null
  },
  get role(): string {
    return current?.session?.role ?? ''
  },
  /** Auditors look, and change nothing. */
  get mayWrite(): boolean {
    return current?.session != null && current.session.role !== 'auditor'
  },
  get now(): Date {
    return now
  },
}
