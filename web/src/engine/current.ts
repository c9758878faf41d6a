/** The engine of this page. `main.ts` connects it once, before anything is drawn. */
import type { Engine } from './port'

let connected: Engine | null = null

export function useEngine(engine: Engine): void {
  connected = engine
}

export function engine(): Engine {
  if (!connected) throw new Error('BUG: the engine is used before it is connected')
  return connected
}
