/**
 * Addresses live behind the `#`: the app is one file for the server, and opens at any screen offline.
 * `#/patients/0190…?tab=treatments` → path `['patients', '0190…']`, parameters `{ tab: 'treatments' }`.
 */
export interface Route {
  path: string[]
  parameters: Record<string, string>
}

export type Parameters = Record<string, string | null | undefined>

export function parseRoute(hash: string): Route {
  const [place = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  return {
    path: place.split('/').filter(Boolean).map(decode),
    parameters: Object.fromEntries(new URLSearchParams(search)),
  }
}

/** A mistyped address must show the start, not a blank page. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export function href(path: string[], parameters: Parameters = {}): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => Boolean(entry[1]))
  const search = new URLSearchParams(given).toString()
  return `#/${path.map(encodeURIComponent).join('/')}${search ? `?${search}` : ''}`
}
