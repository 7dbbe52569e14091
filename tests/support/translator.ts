import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AppError } from '../../lib/errors'
import { ChatEvents } from '../../lib/gateway/translate/chat-events'
import { type JsonObject, makeId } from '../../lib/gateway/translate/json'
import { toChatRequest } from '../../lib/gateway/translate/request'
import { toResponse } from '../../lib/gateway/translate/response'
import type { ResponseOrigin } from '../../lib/gateway/translate/response-object'
import { ResponseStream, writeResponseEvent } from '../../lib/gateway/translate/stream'

/** `/v1/responses` in front of a server that has chat completions only, and what was asked of it. */
export type Translator = { baseUrl: string; asked: JsonObject[]; close(): Promise<void> }

/** Starts one on 127.0.0.1, in front of the server at `chatUrl`. */
export async function startTranslator(chatUrl: string): Promise<Translator> {
  const asked: JsonObject[] = []
  const kept = new Map<string, JsonObject>()
  const server = createServer((request, response) => {
    answer(request, response, { chatUrl, asked, kept }).catch((error) => refuse(response, error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () => {
    server.closeAllConnections()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return { baseUrl: `http://127.0.0.1:${port}/v1`, asked, close }
}

function refuse(response: ServerResponse, error: unknown): void {
  const known = error instanceof AppError ? error : new AppError('internal', String(error))
  const { message, issues, facts } = known
  const body = { message, type: 'invalid_request_error', param: issues?.[0]?.path, code: facts?.code }
  response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error: body }))
}

type Chat = { chatUrl: string; asked: JsonObject[]; kept: Map<string, JsonObject> }

async function answer(incoming: IncomingMessage, outgoing: ServerResponse, { chatUrl, asked, kept }: Chat) {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  const request: JsonObject = JSON.parse(Buffer.concat(chunks).toString())
  const chat = toChatRequest(request, [], kept)
  asked.push(chat)
  const origin = { request, id: makeId('resp'), createdAt: Math.floor(Date.now() / 1000) }
  const reply = await fetch(`${chatUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test-translator' },
    body: JSON.stringify(chat),
  })
  if (chat.stream === true) return keep(await passStream(reply, outgoing, origin), kept)
  const whole = toResponse((await reply.json()) as JsonObject, origin)
  outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(whole))
  keep(whole, kept)
}

function keep(response: JsonObject, kept: Map<string, JsonObject>): void {
  for (const item of response.output as JsonObject[]) kept.set(String(item.id), item)
}

async function passStream(
  reply: Response,
  outgoing: ServerResponse,
  origin: ResponseOrigin,
): Promise<JsonObject> {
  const reader = new ChatEvents()
  const stream = new ResponseStream(origin)
  outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
  const pass = (chunks: JsonObject[]) => {
    for (const chunk of chunks)
      for (const event of stream.take(chunk)) outgoing.write(writeResponseEvent(event))
  }
  for await (const bytes of reply.body ?? []) pass(reader.push(bytes))
  pass(reader.end())
  outgoing.end(stream.end(reader.isDone).map(writeResponseEvent).join(''))
  return stream.response
}
