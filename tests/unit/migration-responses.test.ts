import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { v7 as newId } from 'uuid'
import { expect, test } from 'vitest'
import { applyMigrations } from '../../lib/db/migrate'
import { createScratchDatabase } from '../support/database'
import { queryOnce } from '../support/embedded'
import { makeOwnFolder } from '../support/own-folder'

const all = 'prisma/migrations'
const name = '20261130051100_responses_kept_apart'

test('responses of the version before are found again, whatever letters somebody has sent', async () => {
  const database = await createScratchDatabase()
  const folder = makeOwnFolder('migrations')
  const apply = () => applyMigrations({ connectionString: database.url }, folder.path)
  cpSync(all, folder.path, { recursive: true, filter: (path) => !path.includes(name) })
  await apply()
  const [userId, projectId] = [newId(), newId()]
  await queryOnce(
    database.url,
    `INSERT INTO users (id, email, password_hash) VALUES ('${userId}', 'ada@example.com', 'none')`,
  )
  const rows = {
    kept: `{"keysOf":"${projectId}","items":[{"type":"message"}]}`,
    pending: '{"keysOf":null,"bill":{"estimatedInput":3}}',
    odd: `{"keysOf":"${projectId}","items":[{"text":"\\u0000 \\ud800"}]}`,
  }
  for (const [id, input] of Object.entries(rows))
    await queryOnce(
      database.url,
      `INSERT INTO gateway_responses (id, user_id, provider, source, base_url, model, input)
       VALUES ('${id}', '${userId}', 'openai', 'environment', 'http://x', 'm', '${input}')`,
    )
  cpSync(join(all, name), join(folder.path, name), { recursive: true })
  expect(await apply()).toEqual([name])
  expect(
    await queryOnce(
      database.url,
      'SELECT id, keys_of, bill, input, is_stream FROM gateway_responses ORDER BY id',
    ),
  ).toEqual([
    { id: 'kept', keys_of: projectId, bill: null, input: [{ type: 'message' }], is_stream: false },
    { id: 'odd', keys_of: null, bill: null, input: null, is_stream: false },
    { id: 'pending', keys_of: null, bill: { estimatedInput: 3 }, input: null, is_stream: false },
  ])
  await database.drop()
  folder.remove()
})
