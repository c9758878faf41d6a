/** Waiting for what must come true, instead of for a time to pass. */
import { setTimeout as pause } from 'node:timers/promises'

/** Asks again until `ask` gives something true, and returns it. What it threw last tells why it never did. */
export async function eventually(what, ask, patience = 20_000) {
  const until = Date.now() + patience
  let last
  for (;;) {
    try {
      last = await ask()
      if (last) return last
    } catch (error) {
      last = error
    }
    if (Date.now() > until) {
      const seen = last instanceof Error ? last.message : JSON.stringify(last)
      throw new Error(`waited ${patience / 1000} s in vain: ${what}; at last: ${seen}`)
    }
    await pause(50)
  }
}
