/** The present route, and the ways to another. */
import { href, parseRoute, type Parameters, type Route } from './route'

let current = $state.raw<Route>(parseRoute(location.hash))

addEventListener('hashchange', () => {
  current = parseRoute(location.hash)
})

export const router = {
  get route(): Route {
    return current
  },
  get parameters(): Record<string, string> {
    return current.parameters
  },
  /** Opens another screen; the back button returns. */
  go(path: string[], parameters: Parameters = {}): void {
    location.hash = href(path, parameters)
  },
  /** Changes parameters of this screen. `push` makes it a step that the back button undoes: for sheets. */
  set(parameters: Parameters, options: { push?: boolean } = {}): void {
    const address = href(current.path, { ...current.parameters, ...parameters })
    if (options.push) {
      location.hash = address
      return
    }
    history.replaceState(history.state, '', address)
    current = parseRoute(address)
  },
}
