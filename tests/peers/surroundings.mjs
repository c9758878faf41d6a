/** What the peers' programs have in common: the rows, folders, a server as a process of its own, its memory. */
import { fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const SCRATCH = mkdtempSync(path.join(tmpdir(), 'holdfast-peer-'))

/** A folder that is gone when this program ends. */
export const folder = (name) => path.join(SCRATCH, name)

/** `node PEER.mjs ROWS.json CHANGES` */
export function task() {
  const [file, changes] = process.argv.slice(2)
  return { rows: JSON.parse(readFileSync(file, 'utf8')), changes: Number(changes) }
}

/** Starts `node PEER.mjs serve FOLDER`, which sends its port. */
export async function startServer(file, data) {
  const child = fork(file, ['serve', data], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const ended = new Promise((_, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })
  // Only who asks it something wants to know.
  ended.catch(() => undefined)
  const next = () => Promise.race([new Promise((resolve) => child.once('message', resolve)), ended])
  const { port } = await next()
  return {
    port,
    /** Asks the server something and waits for its answer. */
    async ask(question) {
      child.send(question)
      return next()
    },
    /** The most memory that it has held. Bytes. */
    memory() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      return Number(/VmHWM:\s+(\d+) kB/.exec(status)[1]) * 1024
    },
    stop: () => child.kill('SIGKILL'),
  }
}

/** Seconds that something takes, and what it returns. */
export async function timed(work) {
  const began = performance.now()
  const result = await work()
  return [(performance.now() - began) / 1e3, result]
}

/** Asks again and again, soon, until it is true. */
export async function until(what, patience = 600_000) {
  const end = Date.now() + patience
  while (!(await what())) {
    if (Date.now() > end) throw new Error('it does not come true')
    await pause(2)
  }
}

/** Prints the figures and ends, whatever a library still has open. */
export function tell(figures) {
  process.stdout.write(`${JSON.stringify(figures)}\n`, () => {
    rmSync(SCRATCH, { recursive: true, force: true, maxRetries: 3 })
    process.exit(0)
  })
}
