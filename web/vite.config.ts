import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'
import { packed } from './build/pack.ts'
import { precache } from './build/precache.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** `--mode mock` serves the app on a small made-up hospital in memory instead of the engine: for looking at screens. */
export default defineConfig(({ mode }) => ({
  plugins: [svelte(), precache(), packed()],
  base: './',
  resolve: {
    alias:
      mode === 'mock' ? [{ find: './engine/client', replacement: here('./src/testing/mock_client.ts') }] : [],
  },
  build: {
    target: 'es2022',
    outDir: 'dist',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { app: here('./index.html'), 'service-worker': here('./src/service-worker/service-worker.ts') },
      output: {
        // The worker that serves the app offline must keep its address from release to release.
        entryFileNames: (chunk) =>
          chunk.name === 'service-worker' ? 'service-worker.js' : 'assets/[name]-[hash].js',
      },
    },
  },
  worker: { format: 'es' },
  server: {
    // `npm run dev` beside a running server: the API is one origin with the page, as in production.
    proxy: { '/v1': 'http://127.0.0.1:8080' },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
}))
