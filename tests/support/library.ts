import { v7 as newId } from 'uuid'
import type { Actor, Origin } from '../../lib/auth'
import type { Role } from '../../lib/contracts/accounts'
import { db, startDatabase, stopDatabase } from '../../lib/db'
import { createScratchDatabase } from './database'
import { makeOwnFolder } from './own-folder'

/** Where calls of tests come from. */
export const origin: Origin = { ip: '192.0.2.1', userAgent: 'a test', requestId: 'request-of-a-test' }

/**
 * Makes the modules of lib/ usable in this test file: an environment of their own, a data folder, an empty database.
 * Returns how to end that. To be called before anything in lib/ reads the environment.
 */
export async function openLibrary(env: Record<string, string> = {}): Promise<() => Promise<void>> {
  const folder = makeOwnFolder('library')
  const database = await createScratchDatabase()
  for (const name of ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'PAPITA_API_URL', 'PAPITA_API_TOKEN', 'VAULT_KEY'])
    delete process.env[name]
  Object.assign(process.env, {
    DATA_DIR: folder.path,
    DATABASE_URL: database.url,
    LOG_LEVEL: 'silent',
    ...env,
  })
  await startDatabase()
  return async () => {
    await stopDatabase()
    await database.drop()
    folder.remove()
  }
}

/** An account, without a password: someone who acts in a test. */
export async function makeActor(name: string, role: Role = 'member'): Promise<Actor> {
  const userId = newId()
  const email = `${name}-${userId.slice(-8)}@example.com`
  await db().user.create({ data: { id: userId, email, name, role, passwordHash: 'none' } })
  return {
    userId,
    role,
    email,
    name,
    sessionId: newId(),
    keyId: null,
    scopes: null,
    boundTo: null,
    policy: null,
  }
}
