/** Stands here until the engine's own client does: a page built without the engine says so instead of starting. */
import type { Engine } from './port'

export function connect(): Engine {
  throw new Error('This build has no engine.')
}
