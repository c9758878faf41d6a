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
let department = $state(stored('department'))

export const preferences = {
  get shortcuts(): boolean {
    return shortcuts
  },
  set shortcuts(on: boolean) {
    shortcuts = on
    store('shortcuts', on ? 'on' : 'off')
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
