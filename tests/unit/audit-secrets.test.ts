import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AuditRecord, listAudit, recordAudit } from '@/lib/audit'
import type { Actor } from '@/lib/auth'
import { type AuditAction, AuditQuery, auditDetails } from '@/lib/contracts/audit'
import { db } from '@/lib/db'
import { makeActor, openLibrary } from '../support/library'

let close: () => Promise<void>
let ada: Actor

beforeAll(async () => {
  close = await openLibrary()
  ada = await makeActor('ada', 'admin')
})
afterAll(() => close())

const canary = 'sk-canary-7f3a-of-the-audit'
const actions = Object.keys(auditDetails) as AuditAction[]

/** Fields by which rows, bodies and requests carry secrets in this product and in its providers' answers. */
const secrets = {
  api_key: canary,
  apiKey: canary,
  key: canary,
  secret: canary,
  password: canary,
  passwordHash: canary,
  current: canary,
  next: canary,
  token: canary,
  hash: Buffer.from(canary),
  sealed: Buffer.from(canary),
  wrappedKey: new TextEncoder().encode(canary),
  authorization: `Bearer ${canary}`,
  cookie: `al_session=${canary}`,
  secrets: { api_key: canary },
  headers: { 'x-api-key': canary },
  error: new Error(canary),
  body: JSON.stringify({ canary }),
}

/** Everything that a detail of any deed must have, so that each is complete. */
const facts = {
  scope: 'user',
  type: 'openai',
  label: 'Team',
  last4: '9e77',
  version: 1,
  name: 'Engines',
  projectId: 'project',
  userId: 'user',
  email: 'ada@example.com',
  role: 'member',
  endedSessions: 1,
  price: null,
  before: null,
  agents: 1,
  prompts: 1,
  conversations: 1,
  members: 1,
}

const writings = ['utf8', 'base64', 'base64url', 'hex'] as const

test.each(actions)('a row or a body passed on whole takes no secret into %s', async (action) => {
  const record = { actorId: ada.userId, action, target: action, detail: { ...facts, ...secrets } }
  await recordAudit(record as AuditRecord)
  const stored = JSON.stringify(await db().auditEvent.findMany({ where: { action } }))
  const shown = JSON.stringify(await listAudit(ada, AuditQuery.parse({ action })))
  for (const text of [stored, shown]) {
    for (const writing of writings) expect(text).not.toContain(Buffer.from(canary).toString(writing))
    expect(text).not.toContain(Object.values(new TextEncoder().encode(canary)).slice(0, 6).join(','))
  }
  expect(shown).toContain(action)
})

test.each(actions)('the fields of %s are plain words and numbers, named one by one', (action) => {
  const carriers = /^(api_?key|key|secret|password|token|hash|sealed|wrapped|authorization|cookie|body)/i
  const names = Object.keys(auditDetails[action].shape)
  expect(names.filter((name) => carriers.test(name))).toEqual([])
})

test('long text is cut rather than refused, so that the deed is written down all the same', async () => {
  const detail = { name: 'x'.repeat(5000), agents: 1, prompts: 0, conversations: 0, members: 1 }
  await recordAudit({ actorId: ada.userId, action: 'project.delete', target: 'long', detail })
  const [row] = await db().auditEvent.findMany({ where: { target: 'long' } })
  expect(row?.detail).toEqual({ ...detail, name: 'x'.repeat(200) })
})

test('only the last four characters of a key fit where they belong', async () => {
  const detail = { ...facts, last4: canary }
  await recordAudit({ actorId: ada.userId, action: 'credential.create', target: 'last4', detail })
  const [row] = await db().auditEvent.findMany({ where: { target: 'last4' } })
  expect(row?.detail).toMatchObject({ last4: canary.slice(0, 4) })
})

test('a deed of which too little is said is not written down, and says so', async () => {
  const record = { actorId: ada.userId, action: 'member.add', target: 'half', detail: {} }
  await expect(recordAudit(record as unknown as AuditRecord)).rejects.toMatchObject({ code: 'internal' })
})
