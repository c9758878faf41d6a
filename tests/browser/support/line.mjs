/**
 * The line between a device and its server, to be cut at a chosen byte. A device knows only the line's address, so a
 * server behind it can die and come back, and another can take its place.
 */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

export class Line {
  #listener
  #server
  #open = new Set()
  #watch = null
  #down = false

  static async to(server) {
    const line = new Line()
    line.#server = server
    line.#listener = createServer((device) => line.#join(device)).listen(0, '127.0.0.1')
    await once(line.#listener, 'listening')
    line.url = `http://127.0.0.1:${line.#listener.address().port}/`
    return line
  }

  /**
   * From the next push on nothing more passes. `after` is `'half'` (half of the push has reached the server), `'whole'`
   * (all of it has) or `'answer'` (the server has answered too). Resolves at that moment.
   */
  cut(after) {
    return new Promise((resolve) => (this.#watch = { after, reached: resolve }))
  }

  /** What was cut is over, and all passes again. */
  mend() {
    this.#watch = null
    for (const socket of this.#open) socket.destroy()
  }

  /** From now on it leads there, as one host name does in a ward and outside of it. */
  leadTo(server) {
    this.#server = server
    this.mend()
  }

  /** Nothing passes any more, and nothing that is under way arrives. */
  down() {
    this.#down = true
    this.mend()
  }

  /** It carries again. */
  up() {
    this.#down = false
  }

  close() {
    this.mend()
    this.#listener.close()
  }

  #join(device) {
    if (this.#down) return void device.destroy()
    const server = connect(this.#server.port, '127.0.0.1')
    let pushes = false
    let dead = false
    const stop = () => {
      dead = true
      this.#watch.reached()
    }
    device.on('data', (bytes) => {
      if (dead) return
      // A connection is used for other requests before and after.
      pushes = pushes || bytes.includes('POST /v1/push')
      const after = pushes ? this.#watch?.after : null
      server.write(after === 'half' ? bytes.subarray(0, Math.floor(bytes.length / 2)) : bytes)
      if (after === 'half' || after === 'whole') stop()
    })
    server.on('data', (bytes) => {
      if (dead) return
      if (!pushes || this.#watch?.after !== 'answer') return void device.write(bytes)
      stop()
    })
    for (const [socket, peer] of [
      [device, server],
      [server, device],
    ]) {
      this.#open.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#open.delete(socket)
        peer.destroy()
      })
    }
  }
}
