import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Actor, createLaunch, enterByTicket, isPassingBy } from '@/lib/auth'
import { db } from '@/lib/db'
import { makeActor, openLibrary, origin } from '../support/library'

let close: () => Promise<void>
let portal: Actor
let ada: Actor

beforeAll(async () => {
  close = await openLibrary()
  const admin = await makeActor('admin', 'admin')
  ada = await makeActor('ada')
  portal = { ...admin, keyId: await keepKey(admin), scopes: ['launch'] }
})
afterAll(() => close())

async function keepKey({ userId }: Actor): Promise<string> {
  const id = newId()
  const key = { name: 'Portal', hash: Buffer.from(id), last4: 'aaaa', scopes: ['launch'] }
  await db().apiKey.create({ data: { id, userId, ...key } })
  return id
}

const call = { headers: new Headers({ host: 'chat.example' }) }

async function makeTicket(): Promise<string> {
  const { url } = await createLaunch(portal, { username: ada.email }, call, origin)
  return new URL(url).searchParams.get('ticket') ?? ''
}

const setExpiry = (expiresAt: Date) => db().launchTicket.updateMany({ data: { expiresAt } })

test('a ticket counts until its minute is over, and is swept out after it', async () => {
  const ticket = await makeTicket()
  await setExpiry(new Date(Date.now() - 1))
  await expect(enterByTicket(ticket, call, origin)).rejects.toMatchObject({ code: 'unauthenticated' })
  await makeTicket()
  expect(await db().launchTicket.count()).toBe(1)
  await setExpiry(new Date(Date.now() + 5000))
  const open = await makeTicket()
  expect((await enterByTicket(open, call, origin)).user.email).toBe(ada.email)
})

test('what is stored of a ticket opens nothing', async () => {
  const ticket = await makeTicket()
  const rows = JSON.stringify(await db().$queryRaw`SELECT *, encode(hash, 'hex') AS hex FROM launch_tickets`)
  expect(rows).not.toContain(ticket)
  expect(rows).not.toContain(Buffer.from(ticket).toString('hex'))
})

test('whoever was disabled meanwhile does not come in, and gets no link any more', async () => {
  const ticket = await makeTicket()
  await db().user.update({ where: { id: ada.userId }, data: { disabledAt: new Date() } })
  await expect(enterByTicket(ticket, call, origin)).rejects.toMatchObject({ code: 'unauthenticated' })
  await expect(makeTicket()).rejects.toMatchObject({ code: 'not_found' })
  await db().user.update({ where: { id: ada.userId }, data: { disabledAt: null } })
})

test('if it cannot be written down, nobody is signed in, and the ticket is still good', async () => {
  const ticket = await makeTicket()
  await db().$executeRaw`ALTER TABLE audit_events RENAME TO audit_elsewhere`
  await expect(enterByTicket(ticket, call, origin)).rejects.toThrow()
  await db().$executeRaw`ALTER TABLE audit_elsewhere RENAME TO audit_events`
  expect((await enterByTicket(ticket, call, origin)).path).toBe('/chat')
})

test('a key has so many open links, and no more', async () => {
  const { keyId } = portal
  const data = Array.from({ length: 1000 }, () => ({
    id: newId(),
    hash: Buffer.from(newId()),
    userId: ada.userId,
    keyId: keyId ?? '',
    host: 'chat.example',
    expiresAt: new Date(Date.now() + 60_000),
  }))
  await db().launchTicket.createMany({ data })
  await expect(makeTicket()).rejects.toMatchObject({ code: 'too_many_requests' })
  await setExpiry(new Date(0))
  await makeTicket()
})

test.each<[string, Record<string, string>, boolean]>([
  [
    'a browser over http',
    { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0 Safari/537.36' },
    false,
  ],
  ['a browser over https', { 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'navigate' }, false],
  ['a browser without a window', { 'user-agent': 'HeadlessChrome/140.0' }, false],
  ['a program', { 'user-agent': 'curl/8.0' }, false],
  ['a telephone by the name of Cubot', { 'user-agent': 'Mozilla/5.0 (Linux; Android 13; CUBOT P80)' }, false],
  ['Teams', { 'user-agent': 'Mozilla/5.0 SkypeUriPreview Preview/0.5' }, true],
  ['a search engine', { 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1)' }, true],
])('who goes there and who only looks: %s', (_, headers, isLooking) => {
  expect(isPassingBy({ method: 'GET', headers: new Headers(headers) })).toBe(isLooking)
})
