/**
 * Waits until a transaction has come so far. Whenever the status moves the owner of the data is asked: every exchange moves
 * it, and every tab is told, whichever owns the data.
 */
import type { Durability, Engine, EngineError, WaitOptions } from './port'

/** What it takes of the engine. */
export interface Watched {
  durability(transactionId: string): Promise<Durability | null>
  onStatus: Engine['onStatus']
}

/** A receipt's, of a command that had nothing to change. */
const NOTHING = '00000000-0000-0000-0000-000000000000'

const REACHED: Record<'hub' | 'hospital', Durability[]> = { hub: ['hub', 'hospital'], hospital: ['hospital'] }

export function waitFor(
  engine: Watched,
  transactionId: string,
  wanted: 'hub' | 'hospital',
  { signal, timeoutMs }: WaitOptions = {},
): Promise<void> {
  if (signal?.aborted) return Promise.reject(ABORTED)
  if (transactionId === NOTHING) return Promise.resolve()
  return new Promise((resolve, reject) => {
    let settled = false
    let asking = false
    let again = false
    const settle = (act: () => void) => {
      if (settled) return
      settled = true
      clearTimeout(late)
      signal?.removeEventListener('abort', abort)
      // The first status may come before this is known.
      queueMicrotask(() => unfollow())
      act()
    }
    const abort = () => settle(() => reject(ABORTED))
    const late =
      timeoutMs === undefined ? undefined : setTimeout(() => settle(() => reject(tooLate(wanted))), timeoutMs)
    signal?.addEventListener('abort', abort)
    const ask = async (): Promise<void> => {
      if (settled) return
      if (asking) {
        again = true
        return
      }
      asking = true
      try {
        do {
          again = false
          const now = await engine.durability(transactionId)
          if (now === 'refused') settle(() => reject(REFUSED))
          else if (now === null) settle(() => reject(UNKNOWN))
          else if (REACHED[wanted].includes(now)) settle(resolve)
        } while (again && !settled)
      } catch (error) {
        settle(() => reject(error))
      } finally {
        asking = false
      }
    }
    const unfollow = engine.onStatus(() => void ask())
    void ask()
  })
}

const ABORTED: EngineError = { code: 'aborted', message: 'Nobody waits for it any more.' }

const REFUSED: EngineError = {
  code: 'refused',
  message: 'It was refused. Look under Sync: it is kept there with the reason, to be put right or discarded.',
}

const UNKNOWN: EngineError = {
  code: 'not_found',
  message:
    'This device does not know it any more: it was discarded, turned out to be done already, or reached the hospital long ago.',
}

const tooLate = (wanted: 'hub' | 'hospital'): EngineError => ({
  code: 'timeout',
  message: `It has not reached the ${wanted} yet. It is kept on this device and goes on by itself.`,
})
