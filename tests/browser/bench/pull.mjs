/** `node pull.mjs URL USER PASSWORD`: the first sync of a browser, beside a bulk insert of its rows. Prints JSON, in seconds. */
import { openBare } from './bare.mjs'
import { firstVisit, stage } from './visit.mjs'

const [url, username, password] = process.argv.slice(2)
const { device, took } = await firstVisit(url, username, password)
const bare = await openBare()
try {
  await bare.call('open')
  await stage(device, bare)
  const inserted = await bare.call('insert')
  console.log(JSON.stringify({ copied: took / 1e3, inserted: inserted.took / 1e3 }))
} finally {
  await bare.close()
  await device.close()
}
