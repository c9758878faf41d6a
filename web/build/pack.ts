/**
 * Packs the finished files with brotli, each beside itself as `NAME.br`: the server sends those to browsers that can read
 * them, which all can that the app runs in.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import type { Plugin, ResolvedConfig } from 'vite'

/** Pictures are packed already. */
const PACKED = new Set(['.css', '.html', '.js', '.svg', '.wasm', '.webmanifest'])

function pack(file: string): void {
  const bytes = readFileSync(file)
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  }
  writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }))
}

/** Must come after whatever writes into the finished folder. */
export function packed(): Plugin {
  let config: ResolvedConfig
  return {
    name: 'holdfast-packed',
    apply: 'build',
    configResolved(resolved) {
      config = resolved
    },
    closeBundle: {
      order: 'post',
      sequential: true,
      handler() {
        const folder = resolve(config.root, config.build.outDir)
        for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
          if (entry.isFile() && PACKED.has(extname(entry.name))) pack(join(entry.parentPath, entry.name))
      },
    },
  }
}
