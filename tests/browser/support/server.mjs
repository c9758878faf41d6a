/** A sync server as a process of its own: started, ended in good order, killed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { APP, SERVER } from './surroundings.mjs'
import { eventually } from './patience.mjs'

export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}

export class Server {
  #process = null
  #log = ''

  /** `store` are the options that name the store: `--data` or `--database`. */
  constructor(store, port) {
    this.store = store
    this.port = port
    this.url = `http://127.0.0.1:${port}/`
  }

  async start() {
    const options = ['serve', ...this.store, '--listen', `127.0.0.1:${this.port}`, '--app', APP]
    const started = spawn(SERVER, options, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = started
    for (const stream of [started.stdout, started.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.#log = (this.#log + text).slice(-20_000)))
    }
    await eventually('the server is ready', async () => {
      if (started.exitCode !== null) throw new Error(`the server ended:\n${this.#log}`)
      return (await fetch(`${this.url}ready`)).ok
    })
  }

  /** In good order, as a deployment ends it. */
  stop() {
    return this.#end('SIGTERM')
  }

  kill() {
    return this.#end('SIGKILL')
  }

  /** Its last log lines. */
  get log() {
    return this.#log
  }

  async #end(signal) {
    const running = this.#process
    this.#process = null
    if (!running || running.exitCode !== null || running.signalCode !== null) return
    const ended = once(running, 'exit')
    running.kill(signal)
    await ended
  }
}
