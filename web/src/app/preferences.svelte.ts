/** Small choices that stay on this device. */

function stored(name: string): string | null {
  try {
    return localStorage.getItem(`holdfast.${name}`)
  } catch {
    // Private windows may forbid storage: the choice then lasts as long as the page.
    return null
  }
}

function store(name: string, value: string): void {
  try {
    localStorage.setItem(`holdfast.${name}`, value)
  } catch {
    // As above.
  }
}

let shortcuts = $state(stored('shortcuts') !== 'off')
/** A ward's own rule may be stricter; more than a shift is none. */
const LOCK_MINUTES = { default: 15, least: 1, most: 480 }

let department = $state(stored('department'))

export const preferences = {
  get shortcuts(): boolean {
    return shortcuts
  },
  set shortcuts(on: boolean) {
    shortcuts = on
    store('shortcuts', on ? 'on' : 'off')
  },
  /** Minutes without a touch after which the device asks for the password. */
  get lockMinutes(): number {
    const minutes = Number(stored('lockMinutes') ?? LOCK_MINUTES.default)
    if (!Number.isFinite(minutes)) return LOCK_MINUTES.default
    return Math.min(Math.max(minutes, LOCK_MINUTES.least), LOCK_MINUTES.most)
  },
  set lockMinutes(minutes: number) {
    store('lockMinutes', String(minutes))
  },
  /** The department that the ward board shows: an id, `all`, or null when never chosen. */
  get department(): string | null {
    return department
  },
  set department(id: string | null) {
    department = id
    store('department', id ?? '')
  },
}
