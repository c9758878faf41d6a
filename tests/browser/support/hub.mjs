/**
 * A demo hospital with a ward's hub before it, and the line between the two, which can be cut.
 *
 * ```text
 *  the ward's devices ──► hub ──► line ──► the hospital's server ◄── other devices
 * ```
 */
import { writeFileSync } from 'node:fs'
import { onPostgres, readSqlite } from './hospital.mjs'
import { Line } from './line.mjs'
import { eventually } from './patience.mjs'
import { freePort, Server } from './server.mjs'
import { newFolder } from './surroundings.mjs'

/** The store of a journey: the hospital's, and `hub`. */
export async function onHubOfPostgres() {
  const hospital = await onPostgres()
  const hub = await Hub.of(hospital.server)
  return {
    ...hospital,
    hub,
    async close() {
      await hub.close()
      await hospital.close()
    },
  }
}

class Hub {
  #folder
  #hospital
  #line

  /** A hub that the hospital's server knows, and that has copied the hospital. */
  static async of(hospital) {
    const hub = new Hub()
    hub.#hospital = hospital
    hub.#line = await Line.to(hospital)
    hub.#folder = newFolder('hub')
    const token = newFolder('token')
    writeFileSync(token, await hospital.command('hub', 'add', 'ward 3'), { mode: 0o600 })
    const upstream = ['--upstream', hub.#line.url, '--upstream-token-file', token]
    hub.server = new Server(['--data', hub.#folder], await freePort(), upstream)
    hub.url = hub.server.url
    await hub.server.start()
    return hub
  }

  /** What it says of itself. */
  async state() {
    return (await (await fetch(`${this.url}ready`)).json()).hub
  }

  /** The link to the hospital is gone, and the hub has noticed. */
  async cutOff() {
    this.#line.down()
    await eventually('the hub has no link', async () => (await this.state()).link === 'down')
  }

  /** The link can carry again; the hub tries by itself. */
  mend() {
    this.#line.up()
  }

  /** Everything has been passed on, and the hub has all that the hospital has. */
  async passedOn() {
    await eventually(
      'the hub has passed everything on',
      async () => {
        const [own, theirs] = await Promise.all([this.#ready(this.server), this.#ready(this.#hospital)])
        const { link, relayed } = own.hub
        return link === 'up' && relayed === 0 && own.head === theirs.head
      },
      60_000,
    )
  }

  async #ready(server) {
    return (await fetch(`${server.url}ready`)).json()
  }

  get store() {
    return 'SQLite'
  }

  /** Rows of its tables, as of a hospital's. */
  sqlAll = (queries) => readSqlite(this.server, this.#folder, queries)

  async close() {
    await this.server.kill()
    this.#line.close()
  }
}
