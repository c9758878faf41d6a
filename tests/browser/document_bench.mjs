/** The merge engine's benchmark in a real Chromium: `node document_bench.mjs FOLDER [--samples 15]`, by `cargo xtask bench document-browser`. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { Device } from './support/device.mjs'

const { values, positionals } = parseArgs({
  options: { samples: { type: 'string', default: '15' } },
  allowPositionals: true,
})
const [folder] = positionals
const samples = Number(values.samples)
if (!folder || !(samples > 0)) throw new Error('usage: node document_bench.mjs FOLDER [--samples 15]')

/** An empty page and the module beside it. Only a page isolated from other origins gets the finer clock. */
const isolated = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}
const types = { '.js': 'text/javascript', '.wasm': 'application/wasm' }
const server = createServer((request, response) => {
  const name = path.basename(new URL(request.url, 'http://localhost').pathname)
  const type = types[path.extname(name)]
  response.writeHead(200, { ...isolated, 'Content-Type': type ?? 'text/html' })
  response.end(type ? readFileSync(path.join(folder, name)) : '<!doctype html><title>Benchmark</title>')
}).listen(0, '127.0.0.1')
await once(server, 'listening')

const device = new Device('benchmark', `http://127.0.0.1:${server.address().port}/`)
try {
  await device.start()
  await device.open()
  const agent = await device.page.evaluate(async () => {
    if (!globalThis.crossOriginIsolated) throw new Error('the page has only the coarse clock')
    const module = await import('/holdfast_document_bench.js')
    await module.default({ module_or_path: '/holdfast_document_bench_bg.wasm' })
    globalThis.benchmark = new module.Benchmark()
    return navigator.userAgent
  })
  console.log(`${agent}\n`)
  for (;;) {
    const name = await device.page.evaluate(() => globalThis.benchmark.next())
    if (!name) break
    console.error(name)
    await device.page.evaluate((count) => globalThis.benchmark.measure(count), samples)
  }
  console.log(await device.page.evaluate(() => globalThis.benchmark.markdown()))
  if (device.problems.length > 0) throw new Error(device.problems.join('\n'))
} finally {
  await device.close()
  server.close()
}
