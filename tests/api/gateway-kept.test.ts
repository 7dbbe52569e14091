import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Client, signUp } from '../support/client'
import { makeKey } from '../support/keys'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'

/* Responses of servers that have only chats are kept by AL-Chat itself, and are their maker's alone. */

const key = 'sk-test-kept-responses-5e21'
let compatible: OpenAIServer
let server: TestServer
let admin: Client
let openai: OpenAI

const sdkOf = async (user: Client, wish: object = {}) =>
  new OpenAI({
    baseURL: `${server.url}/v1`,
    apiKey: (await makeKey(user, { scopes: ['gateway'], ...wish })).key,
    maxRetries: 0,
  })

beforeAll(async () => {
  compatible = await startOpenAI({ acceptKey: (given) => given === key })
  server = await startServer({ RATE_LIMITS: 'off' })
  admin = await signUp(server.url, 'admin')
  const made = await admin.post('/api/credentials', {
    scope: 'global',
    credentialType: 'openai-compatible',
    baseUrl: compatible.baseUrl,
    credentials: { api_key: key },
  })
  expect(made.status, made.text).toBe(201)
  openai = await sdkOf(admin)
})
beforeEach(() => compatible.reset())
afterAll(async () => {
  await server.close()
  await compatible.close()
})

const told = () =>
  ((compatible.journal.at(-1)?.body ?? {}) as { messages: { role: string; content: unknown }[] }).messages

test.each([false, true])('a response is found again as it was told, stream: %s', async (isStream) => {
  const made = isStream
    ? await openai.responses.stream({ model: 'llama', input: 'Remember 7.' }).finalResponse()
    : await openai.responses.create({ model: 'llama', input: 'Remember 7.' })
  const found = await openai.responses.retrieve(made.id)
  expect(found.id).toBe(made.id)
  expect(found.output).toEqual(
    made.output.map(({ ...item }) => expect.objectContaining({ id: item.id, type: item.type })),
  )
  expect(found.output_text).toBe(made.output_text)
})

test('what follows is asked with all that was said before, and not with former instructions', async () => {
  compatible.script({ text: 'Seven it is.' })
  const first = await openai.responses.create({
    model: 'llama',
    input: 'Remember 7.',
    instructions: 'Be terse.',
  })
  const second = await openai.responses.create({
    model: 'llama',
    input: 'And 8.',
    previous_response_id: first.id,
  })
  await openai.responses.create({ model: 'llama', input: 'Sum?', previous_response_id: second.id })
  const messages = told().map(({ role, content }) => [role, content])
  expect(messages.map(([role]) => role)).toEqual(['user', 'assistant', 'user', 'assistant', 'user'])
  expect(JSON.stringify(messages)).toContain('Seven it is.')
  expect(JSON.stringify(messages)).not.toContain('Be terse.')
})

test('its input items are listed, page by page, in either order', async () => {
  const first = await openai.responses.create({ model: 'llama', input: 'One.' })
  const input = [
    { role: 'user' as const, content: 'Two.' },
    { role: 'user' as const, content: 'Three.' },
  ]
  const second = await openai.responses.create({ model: 'llama', input, previous_response_id: first.id })
  const texts = async (order: 'asc' | 'desc') => {
    const all: string[] = []
    for await (const item of openai.responses.inputItems.list(second.id, { order, limit: 2 }))
      all.push(JSON.stringify(item))
    return all
  }
  const ascending = await texts('asc')
  expect(ascending).toHaveLength(4)
  expect(ascending[0]).toContain('One.')
  expect(ascending[3]).toContain('Three.')
  expect(await texts('desc')).toEqual([...ascending].reverse())
})

test('it is deleted; what is not stored is not found', async () => {
  const made = await openai.responses.create({ model: 'llama', input: 'x' })
  await openai.responses.delete(made.id)
  await expect(openai.responses.retrieve(made.id)).rejects.toMatchObject({ status: 404 })
  const unkept = await openai.responses.create({ model: 'llama', input: 'x', store: false })
  await expect(openai.responses.retrieve(unkept.id)).rejects.toMatchObject({ status: 404 })
})

test('nobody else finds it, goes on with it or deletes it', async () => {
  const made = await openai.responses.create({ model: 'llama', input: 'Mine.' })
  const stranger = await sdkOf(await signUp(server.url, 'stranger'))
  await expect(stranger.responses.retrieve(made.id)).rejects.toMatchObject({ status: 404 })
  await expect(stranger.responses.delete(made.id)).rejects.toMatchObject({ status: 404 })
  await expect(stranger.responses.inputItems.list(made.id)).rejects.toMatchObject({ status: 404 })
  const before = compatible.journal.length
  await expect(
    stranger.responses.create({ model: 'llama', input: 'Whose?', previous_response_id: made.id }),
  ).rejects.toMatchObject({ status: 400, code: 'previous_response_not_found', param: 'previous_response_id' })
  expect(compatible.journal.length).toBe(before)
  expect((await openai.responses.retrieve(made.id)).id).toBe(made.id)
})

test('what is no background response is neither cancelled nor streamed again', async () => {
  const made = await openai.responses.create({ model: 'llama', input: 'x' })
  await expect(openai.responses.cancel(made.id)).rejects.toMatchObject({ status: 400 })
  await expect(openai.responses.retrieve(made.id, { stream: true })).rejects.toMatchObject({
    status: 400,
    param: 'stream',
  })
})
