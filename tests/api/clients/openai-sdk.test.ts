import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type GatewayWorld, startGateway, upstreamKey } from '../../support/gateway'

// The official client, given nothing but the gateway's address and an API key: all calls but chats and Responses.

let world: GatewayWorld
let openai: OpenAI
/** The same client at the model server itself. */
let direct: OpenAI

beforeAll(async () => {
  world = await startGateway()
  openai = await world.sdk()
  direct = new OpenAI({ baseURL: world.upstream.baseUrl, apiKey: upstreamKey, maxRetries: 0 })
})
beforeEach(() => world.upstream.reset())
afterAll(() => world.close())

const lastBody = () => world.upstream.journal.at(-1)?.body

describe('embeddings', () => {
  const asked = { model: 'text-embedding-3-small', input: ['a', 'größer'] }

  test.each([{}, { encoding_format: 'float' }, { encoding_format: 'base64' }] as const)(
    'are the model server’s: %j',
    async (format) => {
      const through = await openai.embeddings.create({ ...asked, ...format })
      expect(through).toEqual(await direct.embeddings.create({ ...asked, ...format }))
      expect(through.data).toHaveLength(2)
      // Without a word about it, the client asks for base64 and unpacks it.
      expect(lastBody()).toMatchObject({ encoding_format: format.encoding_format ?? 'base64' })
      expect(through.data[0]?.embedding).toHaveLength(format.encoding_format === 'base64' ? 8192 : 1536)
    },
  )

  test('have as many dimensions as were asked for', async () => {
    const { data, usage } = await openai.embeddings.create({ ...asked, dimensions: 256 })
    expect(data.map(({ embedding }) => embedding.length)).toEqual([256, 256])
    expect(usage.total_tokens).toBeGreaterThan(0)
    const tooMany = openai.embeddings.create({ ...asked, dimensions: 9999 })
    await expect(tooMany).rejects.toMatchObject({ status: 400, param: 'dimensions' })
  })

  test('of tokens rather than text', async () => {
    await openai.embeddings.create({ ...asked, input: [[1, 2, 3]] })
    expect(lastBody()).toMatchObject({ input: [[1, 2, 3]] })
  })
})

describe('images', () => {
  test('by either kind of model, one or several', async () => {
    const modern = await openai.images.generate({ model: 'gpt-image-1', prompt: 'A cat', size: '1024x1536' })
    expect(modern).toMatchObject({ data: [{ b64_json: expect.any(String) }], size: '1024x1536' })
    expect(modern.usage?.total_tokens).toBe(110)
    const classic = await openai.images.generate({ model: 'dall-e-3', prompt: 'A cat', n: 2 })
    expect(classic.data).toMatchObject([{ url: expect.any(String) }, { url: expect.any(String) }])
  })

  test('without a prompt are refused in the server’s words', async () => {
    const none = openai.images.generate({ model: 'gpt-image-1' } as OpenAI.ImageGenerateParams)
    await expect(none).rejects.toMatchObject({
      status: 400,
      param: 'prompt',
      code: 'missing_required_parameter',
    })
  })
})

describe('moderations', () => {
  test('of one text, of several, and of a picture', async () => {
    const one = await openai.moderations.create({ input: 'This is {violence}.' })
    expect(one.results).toMatchObject([{ flagged: true, categories: { violence: true, hate: false } }])
    const several = await openai.moderations.create({ input: ['a', '{hate}'] })
    expect(several.results.map(({ flagged }) => flagged)).toEqual([false, true])
    const picture = await openai.moderations.create({
      model: 'omni-moderation-latest',
      input: [{ type: 'image_url', image_url: { url: 'https://example.com/x.png' } }],
    })
    expect(picture.results).toHaveLength(1)
  })
})

describe('files', () => {
  test('are sent, listed, looked up, read and deleted', async () => {
    const text = '{"custom_id":"größer"}\n'
    const file = await openai.files.create({
      file: await toFile(Buffer.from(text), 'b.jsonl'),
      purpose: 'batch',
    })
    expect(file).toMatchObject({ object: 'file', filename: 'b.jsonl', purpose: 'batch' })
    const listed = []
    for await (const one of openai.files.list({ limit: 1 })) listed.push(one.id)
    expect(listed).toContain(file.id)
    expect(await openai.files.retrieve(file.id)).toMatchObject({
      id: file.id,
      bytes: Buffer.byteLength(text),
    })
    expect(await (await openai.files.content(file.id)).text()).toBe(text)
    expect(await openai.files.delete(file.id)).toMatchObject({ id: file.id, deleted: true })
    await expect(openai.files.retrieve(file.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError)
  })
})

describe('models', () => {
  test('are listed, page by page as the client has it, and each can be looked up', async () => {
    const listed = []
    for await (const model of openai.models.list()) listed.push(model)
    const theirs = (await direct.models.list()).data
    expect(listed.map(({ id }) => id)).toEqual(expect.arrayContaining(theirs.map(({ id }) => id)))
    for (const { id } of theirs.slice(0, 3))
      expect(await openai.models.retrieve(id)).toMatchObject({ id, object: 'model' })
  })

  test('that there are not are not found', async () => {
    const none = openai.models.retrieve('no-such-model')
    await expect(none).rejects.toBeInstanceOf(OpenAI.NotFoundError)
    await expect(none).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
  })
})
