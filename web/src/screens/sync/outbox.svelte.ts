/** The outbox, read anew whenever the status says that something moved. */
import { engine } from '../../engine/current'
import { asEngineError } from '../../engine/error'
import type { OutboxEntry } from '../../engine/port'
import { status } from '../../engine/status.svelte'

export function followOutbox() {
  let entries = $state.raw<OutboxEntry[] | null>(null)
  let problem = $state<string | null>(null)

  async function read(): Promise<void> {
    try {
      entries = await engine().outbox()
      problem = null
    } catch (thrown) {
      problem = asEngineError(thrown).message
    }
  }

  $effect(() => {
    // Reading the status here is what makes this run again.
    if (status.current) void read()
  })

  return {
    get entries() {
      return entries
    },
    get problem() {
      return problem
    },
    read,
  }
}
