/** Draws the PNG icons of the installed app from `public/icon.svg`. Needs Chromium (CHROMIUM, default /usr/bin/chromium) and pngquant. */
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { chromium } from 'playwright-core'

const folder = new URL('../public/', import.meta.url)
const svg = await readFile(new URL('icon.svg', folder), 'utf8')
// A maskable icon is cut to any shape: its ground reaches the edges.
const maskable = svg.replace('rx="112"', 'rx="0"')

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
})
for (const [name, size, drawing] of [
  ['icon-192.png', 192, svg],
  ['icon-512.png', 512, svg],
  ['icon-maskable-512.png', 512, maskable],
]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } })
  await page.setContent(`<style>body{margin:0}svg{display:block;width:100vw}</style>${drawing}`)
  const picture = await page.screenshot({ omitBackground: true })
  // Few colours are in it: a third of the bytes.
  await writeFile(
    new URL(name, folder),
    execFileSync('pngquant', ['--strip', '--speed=1', '32', '-'], { input: picture }),
  )
  await page.close()
}
await browser.close()
