import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { OpenedReply } from '../../lib/contracts/conversations'
import { followToEnd, openTalk, type Talk, textOf, view } from '../support/chat'
import type { Answer } from '../support/client'
import { pixel, upload } from '../support/files'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { makePdf } from '../support/pdf'
import { startServer, type TestServer } from '../support/server'

/*
 * What a model is given of the files of a message, by the journal of the upstream.
 */

let openai: OpenAIServer
let server: TestServer

beforeAll(async () => {
  openai = await startOpenAI()
  server = await startServer()
})
afterAll(async () => {
  await server.close()
  await openai.close()
})
beforeEach(() => openai.reset())

type Provider = 'openai' | 'openai-compatible'

async function talkTo(provider: Provider): Promise<Talk> {
  const talk = await openTalk(server.url, { model_provider: provider, model_name: 'gpt-5-mini' })
  const key = {
    scope: 'user',
    credentialType: provider,
    baseUrl: openai.baseUrl,
    credentials: { api_key: 'sk-test-files' },
  }
  const { status, text } = await talk.user.post('/api/credentials', key)
  expect(status, text).toBe(201)
  return talk
}

async function attach(talk: Talk, name: string, content: string | Buffer): Promise<Answer['body']> {
  const { status, body, text } = await upload(talk.user, name, content, { agent_id: talk.agentId })
  expect(status, text).toBe(201)
  return body
}

type Asked = { text?: string; files?: unknown[]; parentId?: string | null; id?: string }

function post(talk: Talk, { text = 'What is this?', files = [], parentId = null, id = newId() }: Asked) {
  const body = { id, parent_id: parentId, text, file_ids: files }
  return talk.user.post(`/api/conversations/${talk.conversationId}/messages`, body)
}

async function ask(talk: Talk, asked: Asked): Promise<{ opened: OpenedReply; said: string }> {
  const { status, body, text } = await post(talk, asked)
  expect(status, text).toBe(202)
  const opened = body as unknown as OpenedReply
  return { opened, said: textOf(await followToEnd(talk.user, opened.reply.events_url)) }
}

const callsTo = (path: string) => openai.journal.filter((entry) => entry.path.startsWith(path))
type Told = { content: unknown; role: string }[]
const inputOf = () => (callsTo('/v1/responses').at(-1)?.body as { input: Told } | undefined)?.input ?? []
const messagesOf = () =>
  (callsTo('/v1/chat/completions').at(-1)?.body as { messages: Told } | undefined)?.messages ?? []

const pdf = Buffer.from('%PDF-1.7\nnothing in it', 'latin1')

describe('a model of OpenAI', () => {
  test('is given images and PDFs by their ids there, and texts as text', async () => {
    const talk = await talkTo('openai')
    const picture = await attach(talk, 'picture.png', pixel)
    const paper = await attach(talk, 'paper.pdf', pdf)
    const notes = await attach(talk, 'notes.md', '# Grüße')
    expect(callsTo('/v1/files')).toMatchObject([
      { body: { purpose: 'vision' } },
      { body: { purpose: 'user_data' } },
      { body: { purpose: 'user_data' } },
    ])
    expect(picture.file_id).toMatch(/^file-/)
    await ask(talk, { files: [picture.id, paper.file_id, notes.id] })
    expect(inputOf()).toEqual([
      {
        role: 'user',
        content: [
          { type: 'input_image', file_id: picture.file_id, detail: 'auto' },
          { type: 'input_file', file_id: paper.file_id },
          { type: 'input_text', text: '<file name="notes.md">\n# Grüße\n</file>' },
          { type: 'input_text', text: 'What is this?' },
        ],
      },
    ])
  })

  test('is given the bytes where its Files API takes none, and the upload is ours all the same', async () => {
    const talk = await talkTo('openai')
    openai.script({ match: { path: '/v1/files' }, error: 500 })
    openai.script({ match: { path: '/v1/files' }, error: 500 })
    const picture = await attach(talk, 'picture.png', pixel)
    expect(picture.file_id).toBe(picture.id)
    await ask(talk, { files: [picture.id] })
    const url = `data:image/png;base64,${pixel.toString('base64')}`
    expect(inputOf()[0]?.content).toMatchObject([{ type: 'input_image', image_url: url }, {}])
  })

  test('gets a file with the first question that was not sent before', async () => {
    const talk = await talkTo('openai')
    openai.script({ match: { path: '/v1/files' }, error: 500 })
    const paper = await attach(talk, 'paper.pdf', pdf)
    await ask(talk, { files: [paper.id] })
    const [, later] = callsTo('/v1/files')
    expect(later?.status).toBe(200)
    const { body } = await talk.user.get(`/api/files/${paper.id}`)
    expect(body.file_id).toMatch(/^file-/)
    expect(inputOf()[0]?.content).toMatchObject([{ type: 'input_file', file_id: body.file_id }, {}])
  })

  test('is told of the files again with the next question, and when it answers anew', async () => {
    const talk = await talkTo('openai')
    const notes = await attach(talk, 'notes.txt', 'The word is plum.')
    const { opened } = await ask(talk, { files: [notes.id] })
    await ask(talk, { text: 'And now?', parentId: opened.reply.message_id })
    expect(JSON.stringify(inputOf()[0])).toContain('The word is plum.')
    expect(inputOf()[2]).toEqual({ role: 'user', content: 'And now?' })
    const again = await talk.user.post(`/api/messages/${opened.reply.message_id}/regenerate`, { id: newId() })
    await followToEnd(talk.user, String(again.body.reply?.events_url))
    expect(JSON.stringify(inputOf())).toContain('The word is plum.')
  })

  test('is given no more than 100,000 characters of a text, and told so', async () => {
    const talk = await talkTo('openai')
    const long = await attach(talk, 'long.txt', 'ü'.repeat(150_000))
    await ask(talk, { files: [long.id] })
    const [part] = (inputOf()[0]?.content ?? []) as { text: string }[]
    const text = String(part?.text)
    expect(text.match(/ü/g)).toHaveLength(100_000)
    expect(text).toContain('It has 300000 bytes; only the first 100000 characters are here.')
  })

  test('hears of a file that was deleted by its name alone', async () => {
    const talk = await talkTo('openai')
    const notes = await attach(talk, 'notes.txt', 'The word is plum.')
    const { opened } = await ask(talk, { files: [notes.id] })
    expect((await talk.user.delete(`/api/files/${notes.id}`)).status).toBe(204)
    await expect
      .poll(() => callsTo(`/v1/files/${notes.file_id}`).map(({ method }) => method))
      .toEqual(['DELETE'])
    await ask(talk, { text: 'And now?', parentId: opened.reply.message_id })
    const asked = JSON.stringify(inputOf()[0])
    expect(asked).not.toContain('plum')
    expect(asked).toContain('This file was deleted.')
  })
})

describe('a server that speaks chat completions', () => {
  test('is given images as data and texts within a string; nothing is uploaded', async () => {
    const talk = await talkTo('openai-compatible')
    const notes = await attach(talk, 'notes.csv', 'a,b\n1,2')
    const { opened } = await ask(talk, { files: [notes.id] })
    expect(messagesOf()).toEqual([
      { role: 'user', content: '<file name="notes.csv">\na,b\n1,2\n</file>\n\nWhat is this?' },
    ])
    const picture = await attach(talk, 'picture.png', pixel)
    await ask(talk, { files: [picture.id], parentId: opened.reply.message_id })
    const url = `data:image/png;base64,${pixel.toString('base64')}`
    expect(messagesOf().at(-1)?.content).toEqual([
      { type: 'image_url', image_url: { url } },
      { type: 'text', text: 'What is this?' },
    ])
    expect(callsTo('/v1/files')).toEqual([])
  })

  test('is given the text of a PDF, and the reason where it has none', async () => {
    const talk = await talkTo('openai-compatible')
    const paper = await attach(talk, 'paper.pdf', makePdf([['The word is plum (really).'], ['Page two']]))
    const scan = await attach(talk, 'scan.pdf', makePdf([[]]))
    const broken = await attach(talk, 'broken.pdf', pdf)
    await ask(talk, { files: [paper.id, scan.id, broken.id] })
    const asked = String(messagesOf()[0]?.content)
    expect(asked).toContain('<file name="paper.pdf">\nThe word is plum (really).')
    expect(asked).toContain('Page two')
    expect(asked).toContain('This PDF has no text in it; it may be a scan.')
    expect(asked).toContain('This PDF could not be read.')
  })

  test('is given the beginning of a long PDF, and told so', async () => {
    const talk = await talkTo('openai-compatible')
    const pages = Array.from({ length: 30 }, (_, page) =>
      Array.from({ length: 60 }, () => `page ${page} ${'x'.repeat(60)}`),
    )
    const long = await attach(talk, 'long.pdf', makePdf(pages))
    await ask(talk, { files: [long.id] })
    const asked = String(messagesOf()[0]?.content)
    expect(asked).toContain('[The PDF goes on; only the first 100000 characters of its text are here.]')
    expect(asked.length).toBeLessThan(100_500)
  })
})

test('the demo model names what it got', async () => {
  const talk = await openTalk(server.url, { model_provider: 'demo' })
  const picture = await attach(talk, 'picture.png', pixel)
  const { said } = await ask(talk, { text: '', files: [picture.id] })
  expect(said).toContain('`picture.png`: image/png, 70 bytes')
})

describe('a message with files', () => {
  test('keeps them, also when it is edited, and can do without words', async () => {
    const talk = await openTalk(server.url, { model_provider: 'demo' })
    const notes = await attach(talk, 'notes.txt', 'abc')
    const part = { type: 'file', file_id: notes.id, filename: 'notes.txt', mime_type: 'text/plain', bytes: 3 }
    const { opened } = await ask(talk, { text: '', files: [notes.id] })
    expect(opened.message.parts).toEqual([part])
    const { body } = await talk.user.post(`/api/messages/${opened.message.id}/edit`, {
      id: newId(),
      text: 'So?',
    })
    await followToEnd(talk.user, String(body.reply?.events_url))
    const { messages, conversation } = await view(talk)
    const mine = messages.filter(({ role }) => role === 'user')
    expect(mine.map(({ parts }) => parts)).toEqual([[part], [part, { type: 'text', text: 'So?' }]])
    expect(conversation.title).toBe('notes.txt')
  })

  test('sent again is the same message; with other files it is another', async () => {
    const talk = await openTalk(server.url, { model_provider: 'demo' })
    const [one, two] = [await attach(talk, '1.txt', '1'), await attach(talk, '2.txt', '2')]
    const id = newId()
    const { opened } = await ask(talk, { id, files: [one.id] })
    const again = await post(talk, { id, files: [one.id] })
    expect((again.body as unknown as OpenedReply).reply.id).toBe(opened.reply.id)
    expect((await post(talk, { id, files: [two.id] })).status).toBe(409)
  })

  test('takes none of someone else’s, none that are not there, and no more than 20', async () => {
    const talk = await openTalk(server.url, { model_provider: 'demo' })
    const other = await openTalk(server.url, { model_provider: 'demo' })
    const theirs = await attach(other, 'theirs.txt', 'secret')
    expect((await post(talk, { files: [theirs.id] })).status).toBe(404)
    expect((await post(talk, { files: [newId()] })).status).toBe(404)
    expect((await post(talk, { files: ['file-of-nobody'] })).status).toBe(404)
    expect((await post(talk, { files: Array.from({ length: 21 }, () => newId()) })).status).toBe(400)
    expect((await post(talk, { text: ' ', files: [] })).status).toBe(400)
    expect((await view(talk)).messages).toEqual([])
  })
})
