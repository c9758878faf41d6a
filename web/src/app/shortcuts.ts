/** Keys without modifiers: `/` searches, `?` helps, `g` and a letter goes to a screen. */

export type ShortcutEffect =
  { kind: 'none' } | { kind: 'search' } | { kind: 'help' } | { kind: 'go'; path: string[] }

export interface ShortcutState {
  /** When `g` was pressed, or null. */
  goSince: number | null
}

export interface Key {
  key: string
  /** A modifier is held, or the key goes into a field: not for us. */
  taken: boolean
  /** Milliseconds. */
  time: number
}

export const IDLE: ShortcutState = { goSince: null }
const GO_WINDOW = 1500
const NONE: ShortcutEffect = { kind: 'none' }

export function press(
  state: ShortcutState,
  key: Key,
  places: ReadonlyMap<string, string[]>,
): { state: ShortcutState; effect: ShortcutEffect } {
  if (key.taken) return { state: IDLE, effect: NONE }
  if (state.goSince !== null && key.time - state.goSince <= GO_WINDOW) {
    const path = places.get(key.key)
    return { state: IDLE, effect: path ? { kind: 'go', path } : NONE }
  }
  switch (key.key) {
    case 'g':
      return { state: { goSince: key.time }, effect: NONE }
    case '/':
      return { state: IDLE, effect: { kind: 'search' } }
    case '?':
      return { state: IDLE, effect: { kind: 'help' } }
    default:
      return { state: IDLE, effect: NONE }
  }
}
