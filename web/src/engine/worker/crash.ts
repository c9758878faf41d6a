/** Telling what went wrong from what is broken. */
import { asEngineError } from '../error'
import type { EngineError } from '../port'

/** The engine's own errors are objects with a code. Anything else thrown by it, or a panic, leaves it unusable. */
export function isCrash(thrown: unknown): boolean {
  const { code } = asEngineError(thrown)
  return code === 'unexpected' || code === 'crashed'
}

export function crashed(thrown: unknown): EngineError {
  const { message } = asEngineError(thrown)
  return {
    code: 'crashed',
    message: `Holdfast stopped working on this device. What you saved is kept. Reload the page to go on. (${message})`,
  }
}
