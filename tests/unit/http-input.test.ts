import { expect, test } from 'vitest'
import { z } from 'zod'
import { CreateCredential, UpdateCredential } from '../../lib/contracts/credentials'
import { CreateKey } from '../../lib/contracts/keys'
import { anyone, ok, route } from '../../lib/http'

/*
 * What no database can keep or look for is the caller's fault and said to be, not the server's.
 */

const echo = route({
  auth: anyone,
  query: z.strictObject({ q: z.string().optional() }),
  run: async ({ query }) => ok(query),
})
const ask = (query: string) => echo(new Request(`http://x/?${query}`), { params: Promise.resolve({}) })

test.each(['q=%00', 'q=a%00b', 'q=a&q=%00'])(
  'a query with U+0000 is refused where it is: %s',
  async (query) => {
    const answer = await ask(query)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { code: 'invalid_input', issues: [{ path: 'q' }] } })
  },
)

test('so is a name with U+0000, which no query has', async () => {
  expect((await ask('%00=a')).status).toBe(400)
})

test.each(['', 'q=', 'q=0', 'q=%F0%9F%92%A9', 'q=%ED%A0%80'])(
  'a query of any other text is not: %s',
  async (query) => {
    expect((await ask(query)).status).toBe(200)
  },
)

const forms = [
  [
    'a new credential',
    CreateCredential,
    { credentialType: 'openai', credentials: { api_key: 'sk-1' } },
    'expiresAt',
  ],
  ['a changed credential', UpdateCredential, {}, 'expiresAt'],
  ['an API key', CreateKey, { name: 'Key', scopes: ['chat'] }, 'expires_at'],
] as const

test.each(forms)('the end of %s is a time to come that the database can hold', (_, schema, body, field) => {
  const isTaken = (time: unknown) => schema.safeParse({ ...body, [field]: time }).success
  expect(['9999-12-31T23:59:59Z', '9999-12-31T23:59:59+14:00', null, undefined].map(isTaken)).not.toContain(
    false,
  )
  for (const time of ['9999-12-31T23:59:59-14:00', '2001-01-01T00:00:00Z', '2030-01-31', '']) {
    expect(isTaken(time), time).toBe(false)
  }
})
