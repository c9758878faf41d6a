/** The app's own files: kept on the device by the service worker, renewed when the person agrees. */
import type { ToServiceWorker } from '../service-worker/messages'

let waiting = $state.raw<ServiceWorker | null>(null)

export const release = {
  /** A new version lies ready on this device. */
  get ready(): boolean {
    return waiting !== null
  },
  use(): void {
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
    waiting?.postMessage('use-new-release' satisfies ToServiceWorker)
  },
}

const HOUR = 3_600_000

export async function keepAppOnDevice(): Promise<void> {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return
  const registration = await navigator.serviceWorker.register('./service-worker.js')
  const notice = () => {
    // Without a controller this is the first visit, and nothing is old.
    if (registration.waiting && navigator.serviceWorker.controller) waiting = registration.waiting
  }
  const watch = (worker: ServiceWorker | null) => worker?.addEventListener('statechange', notice)
  notice()
  watch(registration.installing)
  registration.addEventListener('updatefound', () => watch(registration.installing))
  // A ward's tablet is never closed.
  setInterval(() => void registration.update().catch(() => undefined), HOUR)
}

/** Without this a browser short of space may drop the replica, with work that nobody has received. */
export async function keepDataOnDevice(): Promise<boolean> {
  if (!navigator.storage?.persist) return false
  return (await navigator.storage.persisted()) || (await navigator.storage.persist())
}
