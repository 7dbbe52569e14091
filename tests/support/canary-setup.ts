import { readRun } from '../../scripts/canary.mjs'
import { makeCanaryFolder } from './canary/record'
import { makeOwnFolder } from './own-folder'

/**
 * Before the tests of a project: a place for the canary watch, unless `npm test` has made one for the whole run.
 * Afterwards, of its own one: throws what was found.
 */
export default function setUp(): () => void {
  if (process.env.AL_CANARY) return () => undefined
  const folder = makeOwnFolder('canary')
  makeCanaryFolder(folder.path)
  process.env.AL_CANARY = folder.path
  return () => {
    const { leaks } = readRun(folder.path)
    folder.remove()
    if (leaks.length > 0)
      throw new Error(
        `Canary watch: a secret was told.\n${leaks.map((leak) => JSON.stringify(leak)).join('\n')}`,
      )
  }
}
