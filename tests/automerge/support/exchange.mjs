// Holdfast's side: a program that makes histories, exports them, and answers questions about changes.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const SEED = process.env.HOLDFAST_SEED ?? '1'
const HISTORIES = process.env.HOLDFAST_HISTORIES ?? '120'

/** Starts the program and waits until its histories are exported. */
export async function start() {
  const program = process.env.HOLDFAST_EXCHANGE_BIN
  if (!program)
    throw new Error('HOLDFAST_EXCHANGE_BIN is not set: `cargo xtask test --only automerge` sets it')
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-automerge-'))
  const child = spawn(program, [folder, SEED, HISTORIES], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error('the program has ended')
    return JSON.parse(value)
  }
  const ask = (question) => {
    child.stdin.write(`${JSON.stringify(question)}\n`)
    return answer()
  }
  const stop = async () => {
    child.stdin.end()
    if (child.exitCode === null) await once(child, 'exit')
    rmSync(folder, { recursive: true })
  }
  const ready = await answer()
  const files = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'))
  return {
    /** The device that the program takes changes in for. */
    actor: ready.actor,
    /** The row with the longest history. */
    long: ready.long,
    /** Every exported file and what it must hold. */
    files,
    folder,
    bytes: (file) => new Uint8Array(readFileSync(join(folder, file.file))),
    /** What Holdfast makes of changes, one after the other. */
    fold: (table, changes) => ask({ fold: { table, changes: changes.map(hex) } }),
    /** What Holdfast's store says to changes of a device. */
    submit: ({ table, row, part }, changes) =>
      ask({ submit: { table, row, part, changes: changes.map(hex) } }),
    /** Exports everything again. */
    export: (to) => ask({ export: to }),
    stop,
  }
}

export function hex(bytes) {
  return Buffer.from(bytes).toString('hex')
}
