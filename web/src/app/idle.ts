/**
 * Locks the device when nobody has touched it for a while, in any of its tabs: the time of the last touch is shared between
 * them. A device that slept looks at the clock when it wakes.
 */
import { engine } from '../engine/current'
import { preferences } from './preferences.svelte'

const TOUCHED = 'holdfast.touched'
/** Milliseconds between two looks at the clock, and between two notes of a touch. */
const LOOK = 10_000
const NOTE = 5_000
const MINUTE = 60_000

/** Milliseconds since anybody touched any tab; `noted` is what the tabs share, null if nobody ever did. */
export function isIdle(noted: string | null, now: number, minutes: number): boolean {
  const touched = Number(noted)
  // A clock that was set back proves nothing.
  if (noted === null || !Number.isFinite(touched) || touched > now) return false
  return now - touched >= minutes * MINUTE
}

/** Call while somebody is signed in. Returns the function that ends it. */
export function lockWhenIdle(): () => void {
  let noted = 0
  const note = () => {
    const now = Date.now()
    if (now - noted < NOTE) return
    noted = now
    localStorage.setItem(TOUCHED, String(now))
  }
  const look = () => {
    if (isIdle(localStorage.getItem(TOUCHED), Date.now(), preferences.lockMinutes))
      void engine()
        .lock()
        .catch(() => undefined)
  }
  // Whoever comes back to a device that slept must not undo the wait by touching it.
  const touch = () => {
    look()
    note()
  }
  note()
  const events = ['pointerdown', 'keydown', 'wheel', 'touchmove'] as const
  for (const event of events) addEventListener(event, touch, { passive: true, capture: true })
  document.addEventListener('visibilitychange', look)
  const timer = setInterval(look, LOOK)
  return () => {
    for (const event of events) removeEventListener(event, touch, { capture: true })
    document.removeEventListener('visibilitychange', look)
    clearInterval(timer)
  }
}
