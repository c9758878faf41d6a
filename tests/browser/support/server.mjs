/** A sync server as a process of its own: started, ended in good order, killed. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
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

  /** `store` are the options that name the store: `--data` or `--database`; `options` are more of `serve`. */
  constructor(store, port, options = []) {
    this.store = store
    this.options = options
    this.port = port
    this.url = `http://127.0.0.1:${port}/`
  }

  async start() {
    const address = ['--listen', `127.0.0.1:${this.port}`]
    const options = ['serve', ...this.store, ...address, '--app', APP, ...this.options]
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

  /** What an administrator runs beside it. Returns what it printed. */
  async command(...words) {
    const { stdout } = await promisify(execFile)(SERVER, [...words, ...this.store])
    return stdout
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
