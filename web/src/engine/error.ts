/** What the engine's promises reject with, made certain. */
import type { EngineError } from './port'

export function asEngineError(thrown: unknown): EngineError {
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'message' in thrown) {
    const { code, message } = thrown
    const field = 'field' in thrown && typeof thrown.field === 'string' ? { field: thrown.field } : {}
    if (typeof code === 'string' && typeof message === 'string') return { code, message, ...field }
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return { code: 'unexpected', message: `Something went wrong on this device: ${message}` }
}
