/** Taking typed parts out of a form's values, for commands. */
import type { Values } from '../engine/generated/commands'

export function optionalText(values: Values, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** For fields that the form requires: it does not submit without them. */
export function text(values: Values, name: string): string {
  const value = optionalText(values, name)
  if (value === undefined) throw new Error(`BUG: the form was submitted without ${name}`)
  return value
}

export function optionalNumber(values: Values, name: string): number | undefined {
  const value = values[name]
  return typeof value === 'number' ? value : undefined
}

export function number(values: Values, name: string): number {
  const value = optionalNumber(values, name)
  if (value === undefined) throw new Error(`BUG: the form was submitted without ${name}`)
  return value
}
