/** Whether the browser believes it has a network. Only a hint: the engine's status says whether the server answers. */
let now = $state(navigator.onLine)

addEventListener('online', () => (now = true))
addEventListener('offline', () => (now = false))

export const online = {
  get now(): boolean {
    return now
  },
}
