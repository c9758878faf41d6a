/** Passes on what comes to a port of its own, and counts it both ways. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

export async function countBefore(port) {
  const counter = { bytes: 0, port: 0, close: () => server.close() }
  const server = createServer((device) => {
    const behind = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [device, behind],
      [behind, device],
    ]) {
      from.setNoDelay(true)
      from.on('data', (piece) => (counter.bytes += piece.length))
      from.on('error', () => to.destroy())
      from.pipe(to)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  counter.port = server.address().port
  return counter
}
