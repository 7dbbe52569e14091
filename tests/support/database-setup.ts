import { startEmbeddedPostgres } from '../../lib/db/embedded'
import { makeOwnFolder } from './own-folder'

/** Before all tests of a project: a database server for them, unless DATABASE_URL names one. */
export default async function setUp(): Promise<() => Promise<void>> {
  if (process.env.DATABASE_URL) {
    process.env.TEST_DATABASE_URL = process.env.DATABASE_URL
    return async () => {}
  }
  const folder = makeOwnFolder('unit')
  const postgres = await startEmbeddedPostgres({ dataDir: folder.path })
  process.env.TEST_DATABASE_URL = postgres.url
  return async () => {
    await postgres.stop()
    folder.remove()
  }
}
