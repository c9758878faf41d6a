/** Carrying out a command and telling the person what became of it. */
import { notices } from '../app/notices.svelte'
import { engine } from './current'
import { asEngineError } from './error'
import type { Command } from './generated/commands'
import type { EngineError, Receipt } from './port'

export type Outcome = { ok: true; receipt: Receipt } | { ok: false; error: EngineError }

/** Runs the command. `done` is told on success; an error is the caller's to show. `mends`: see the port. */
export async function perform(command: Command, done: string, mends?: string): Promise<Outcome> {
  try {
    const receipt = await engine().run(withoutGaps(command), mends)
    notices.done(done)
    return { ok: true, receipt }
  } catch (thrown) {
    return { ok: false, error: asEngineError(thrown) }
  }
}

/** For a button without a form around it: an error becomes a notice. */
export async function performNow(command: Command, done: string): Promise<boolean> {
  const outcome = await perform(command, done)
  if (!outcome.ok) notices.problem(outcome.error.message)
  return outcome.ok
}

/** An optional part left open is absent, not `undefined`: the engine reads them differently. */
function withoutGaps(command: Command): Command {
  return JSON.parse(JSON.stringify(command)) as Command
}
