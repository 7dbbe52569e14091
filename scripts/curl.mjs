// curl for the tests of the gateway. Nearly every machine has one; small images of Debian and Ubuntu have not.
import { execFileSync } from 'node:child_process'
import { installFromDebian } from './debian.mjs'
import { say } from './report.mjs'

/** The curl to use: CURL_PATH, or the one on the PATH, after installing one where there is none. Without any, the tests say so. */
export async function provideCurl() {
  const named = process.env.CURL_PATH ?? 'curl'
  if (runs(named)) return named
  await installFromDebian('Installing Debian’s curl for the tests', 'curl', /^ID(_LIKE)?=.*debian/m).catch(
    (error) => say(`  It did not work: ${String(error.message)}`),
  )
  return named
}

/** @param {string} path */
function runs(path) {
  try {
    execFileSync(path, ['--version'], { stdio: 'ignore', timeout: 30_000 })
    return true
  } catch {
    return false
  }
}
