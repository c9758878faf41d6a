/**
 * Serves the app when there is no network.
 *
 * Invariants: it answers for the built files only, never for `/v1/`; a running page sees one release until the person
 * asks for the new one; a new release fetches only the files that changed.
 */
import type { ToServiceWorker } from './messages'

declare const self: ServiceWorkerGlobalScope

/** Path and revision of every built file; written in by the build. */
declare const __PRECACHE__: [path: string, revision: string][]

const CACHE = 'holdfast-app'
const files = new Map(__PRECACHE__)

/** The revision is part of the key, so that two releases lie side by side until the old one is let go. */
function key(path: string, revision: string): string {
  return `${new URL(path, self.registration.scope).href}?revision=${revision}`
}

async function install(): Promise<void> {
  const cache = await caches.open(CACHE)
  const present = new Set((await cache.keys()).map((request) => request.url))
  for (const [path, revision] of files) {
    if (present.has(key(path, revision))) continue
    const address = new URL(path, self.registration.scope).href
    const response = await fetch(address, { cache: 'no-cache' })
    if (!response.ok) throw new Error(`${path} answered ${response.status}`)
    await cache.put(key(path, revision), response)
  }
}

async function dropOldRelease(): Promise<void> {
  const cache = await caches.open(CACHE)
  const wanted = new Set([...files].map(([path, revision]) => key(path, revision)))
  const old = (await cache.keys()).filter((request) => !wanted.has(request.url))
  await Promise.all(old.map((request) => cache.delete(request)))
  await self.clients.claim()
}

/** The built file a request is for, or null when the network must answer. */
function builtFile(request: Request): string | null {
  const address = new URL(request.url)
  const scope = new URL(self.registration.scope)
  if (request.method !== 'GET' || address.origin !== scope.origin) return null
  if (!address.pathname.startsWith(scope.pathname)) return null
  const path = address.pathname.slice(scope.pathname.length)
  if (path.startsWith('v1/')) return null
  if (path === '') return 'index.html'
  return files.has(path) ? path : null
}

async function serve(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(CACHE)
  return (await cache.match(key(path, files.get(path) ?? ''))) ?? fetch(request)
}

/** Milliseconds for a page to come back. */
const RELOAD = 15_000
const kept = new Map<string, unknown>()

/** Holds what a page needs after its reload, in memory and not for long; see `engine/reload.ts`. */
async function keepSecret(ticket: string, secret: unknown): Promise<void> {
  kept.set(ticket, secret)
  const until = performance.now() + RELOAD
  // Waiting keeps this worker alive.
  while (kept.has(ticket) && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  kept.delete(ticket)
}

function takeSecret(ticket: string): unknown {
  const secret = kept.get(ticket) ?? null
  kept.delete(ticket)
  return secret
}

self.addEventListener('install', (event) => event.waitUntil(install()))
self.addEventListener('activate', (event) => event.waitUntil(dropOldRelease()))
self.addEventListener('message', (event) => {
  const message = event.data as ToServiceWorker
  if (message === 'use-new-release') void self.skipWaiting()
  else if (message.type === 'keep-secret') event.waitUntil(keepSecret(message.ticket, message.secret))
  else if (message.type === 'take-secret') event.ports[0]?.postMessage(takeSecret(message.ticket))
})
self.addEventListener('fetch', (event) => {
  const path = builtFile(event.request)
  if (path) event.respondWith(serve(event.request, path))
})

export {}
