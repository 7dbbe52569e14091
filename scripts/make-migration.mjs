// npm run migration -- NAME: writes prisma/migrations/<time>_NAME/migration.sql, the step from the committed
// schema to the one in the working tree. Runs offline, on an embedded Postgres of its own that is thrown away.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import { SchemaEngine } from '@prisma/schema-engine-wasm'
import { startEmbeddedPostgres } from '../lib/db/embedded.ts'

const name = process.argv[2]
if (!name || !/^[a-z0-9_]+$/.test(name)) {
  console.error('usage: npm run migration -- name_in_snake_case [--first]')
  process.exit(1)
}

const path = 'prisma/schema.prisma'
/** @param {string} content */
const target = (content) => ({ tag: /** @type {const} */ ('schemaDatamodel'), files: [{ path, content }] })
const committed = () => execFileSync('git', ['show', `HEAD:${path}`], { encoding: 'utf8' })

const wanted = readFileSync(path, 'utf8')

async function writeSteps() {
  const dataDir = mkdtempSync(join(tmpdir(), 'al-chat-migration-'))
  const database = await startEmbeddedPostgres({ dataDir })
  try {
    const engine = await SchemaEngine.new(
      { datamodels: [[path, wanted]] },
      () => {},
      bindMigrationAwareSqlAdapterFactory(new PrismaPg(database.connection)),
    )
    const { stdout } = await engine.diff({
      from: process.argv.includes('--first') ? { tag: /** @type {const} */ ('empty') } : target(committed()),
      to: target(wanted),
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    })
    return stdout ?? ''
  } finally {
    await database.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

const sql = await writeSteps()
if (!sql.trim() || sql.includes('This is an empty migration')) {
  console.log('The schema has not changed.')
  process.exit(0)
}
const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
const folder = `prisma/migrations/${stamp}_${name}`
mkdirSync(folder, { recursive: true })
writeFileSync(`${folder}/migration.sql`, sql)
console.log(`${folder}/migration.sql`)
