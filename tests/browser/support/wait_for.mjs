/** The app's own `waitFor`, run in a device's page over what its worker says. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { ROOT } from './surroundings.mjs'

const web = createRequire(path.join(ROOT, 'web/package.json'))

/** The module as a script that puts what it exports into `exports`. */
function script() {
  const { ModuleKind, ScriptTarget, transpileModule } = web('typescript')
  const source = readFileSync(path.join(ROOT, 'web/src/engine/wait_for.ts'), 'utf8')
  const compilerOptions = { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022 }
  return transpileModule(source, { compilerOptions }).outputText
}

/**
 * Waits in the page, which must not be reloaded, until a transaction has come so far. `outcome()` is `'waits'`, `'reached'`
 * or the code of the error.
 */
export async function waitFor(device, transaction, durability) {
  const name = `${durability} ${transaction}`
  // As text: the page's own policy forbids it to compile any.
  await device.page.evaluate(`{ const exports = {}; ${script()}; globalThis.appWaitFor = exports.waitFor }`)
  await device.page.evaluate(
    ({ name, transaction, durability }) => {
      const durabilityOf = async (argument) => {
        const { answer, error } = await globalThis.askWorker({ name: 'durability', argument })
        if (error) throw error
        return answer
      }
      const watched = { durability: durabilityOf, onStatus: globalThis.followStatus }
      globalThis.waits ??= {}
      globalThis.waits[name] = 'waits'
      globalThis.appWaitFor(watched, transaction, durability).then(
        () => (globalThis.waits[name] = 'reached'),
        (error) => (globalThis.waits[name] = error.code ?? String(error)),
      )
    },
    { name, transaction, durability },
  )
  return { outcome: () => device.page.evaluate((key) => globalThis.waits[key], name) }
}
