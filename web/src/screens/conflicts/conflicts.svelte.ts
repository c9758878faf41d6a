/** Open conflicts, read anew whenever the status says that something moved. */
import { engine } from '../../engine/current'
import { asEngineError } from '../../engine/error'
import type { Conflict } from '../../engine/port'
import { status } from '../../engine/status.svelte'

export function followConflicts() {
  let open = $state.raw<Conflict[] | null>(null)
  let problem = $state<string | null>(null)

  async function read(): Promise<void> {
    try {
      open = await engine().conflicts()
      problem = null
    } catch (thrown) {
      problem = asEngineError(thrown).message
    }
  }

  $effect(() => {
    if (status.current) void read()
  })

  return {
    get open() {
      return open
    },
    get problem() {
      return problem
    },
    read,
  }
}
