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

/** Milliseconds of computing that tell how crowded the machine is. */
const SAMPLE = 100

/**
 * How many times longer than alone a program computes at this moment, because others want the processor too: 1 or more.
 * What must be quick where nothing disturbs it may take so many times longer here.
 */
export function crowding() {
  const computed = process.cpuUsage()
  const began = performance.now()
  for (;;) {
    const { user, system } = process.cpuUsage(computed)
    const milliseconds = (user + system) / 1_000
    if (milliseconds >= SAMPLE) return Math.max(1, (performance.now() - began) / milliseconds)
  }
}
