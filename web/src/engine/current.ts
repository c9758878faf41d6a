/** The engine of this page. `main.ts` says how to connect it; the first use does, so that a failure can be shown. */
import type { Engine } from './port'

let connect: (() => Engine) | null = null
let connected: Engine | null = null

export function useEngine(how: () => Engine): void {
  connect = how
}

export function engine(): Engine {
  if (!connect) throw new Error('BUG: the engine is used before main.ts named it')
  connected ??= connect()
  return connected
}
