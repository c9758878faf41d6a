/**
 * A reload does not ask for the password again. The page gives its secret to the service worker while it goes, and takes it
 * back when it comes; in between it is in memory only, for seconds. A tab that was closed, or a browser that was killed, has
 * nothing to take: its name for the secret is in the tab's own session storage, and the secret itself is nowhere.
 */
import type { ToServiceWorker } from '../service-worker/messages'
import type { Secret } from './worker/protocol'

const TICKET = 'holdfast.reload'
/** Milliseconds for the service worker to answer. */
const PATIENCE = 1_000

/** To be called while the page goes. */
export function keepForReload(secret: Secret | null): void {
  const worker = navigator.serviceWorker?.controller
  if (!worker || !secret) return
  const ticket = crypto.randomUUID()
  sessionStorage.setItem(TICKET, ticket)
  worker.postMessage({ type: 'keep-secret', ticket, secret } satisfies ToServiceWorker)
}

/** The secret of this tab before it was reloaded. */
export async function takeAfterReload(): Promise<Secret | null> {
  const ticket = sessionStorage.getItem(TICKET)
  const worker = navigator.serviceWorker?.controller
  sessionStorage.removeItem(TICKET)
  if (ticket === null || !worker) return null
  const { port1, port2 } = new MessageChannel()
  const answer = new Promise<Secret | null>((resolve) => {
    port1.onmessage = ({ data }: MessageEvent<Secret | null>) => resolve(data)
    setTimeout(() => resolve(null), PATIENCE)
  })
  worker.postMessage({ type: 'take-secret', ticket } satisfies ToServiceWorker, [port2])
  return answer.finally(() => port1.close())
}
