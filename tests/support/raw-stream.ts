import { type IncomingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'

/** An answer as it came over the wire. */
export type RawAnswer = { status: number; headers: IncomingHttpHeaders; bytes: Buffer; complete: boolean }

/** A call to make: `POST` with a JSON body, or `GET` without one. */
export type RawCall = { url: string; body?: unknown; key?: string }

const headersOf = ({ key = 'sk-test-raw' }: RawCall) => ({
  authorization: `Bearer ${key}`,
  'content-type': 'application/json',
})

/** Makes a call and collects the bytes of the answer; `complete` is false when the connection broke. */
export function callRaw(call: RawCall): Promise<RawAnswer> {
  const method = call.body === undefined ? 'GET' : 'POST'
  return new Promise((resolve, reject) => {
    const outgoing = request(call.url, { method, headers: headersOf(call), agent: false }, (incoming) => {
      outgoing.off('error', reject).on('error', () => undefined)
      const chunks: Buffer[] = []
      const { statusCode: status = 0, headers } = incoming
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', () => undefined)
      incoming.once('close', () =>
        resolve({ status, headers, bytes: Buffer.concat(chunks), complete: incoming.complete }),
      )
    })
    outgoing.once('error', reject)
    outgoing.end(call.body === undefined ? undefined : JSON.stringify(call.body))
  })
}

/** Makes a call and gives the sizes of the HTTP chunks that the server wrote, in bytes. */
export async function chunkSizes(call: RawCall): Promise<number[]> {
  const { hostname, port, pathname } = new URL(call.url)
  const body = JSON.stringify(call.body)
  const head = Object.entries({ ...headersOf(call), host: hostname, connection: 'close' })
  const lines = [...head, ['content-length', Buffer.byteLength(body)]].map(
    ([name, value]) => `${name}: ${value}`,
  )
  const socket = connect(Number(port), hostname)
  socket.write(`POST ${pathname} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
  const received = Buffer.concat(await socket.toArray())
  return [...readChunks(received.subarray(received.indexOf('\r\n\r\n') + 4))]
}

function* readChunks(bytes: Buffer): Generator<number> {
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString(), 16)
    if (size === 0) return
    yield size
    at = lineEnd + 2 + size + 2
  }
}

/** One block of an event stream. */
export type SseBlock = { event?: string; data: string }

/** Reads the blocks of an event stream with LF, as they are; comments and other fields are left out. */
export function readSse(text: string): SseBlock[] {
  return text.split('\n\n').flatMap((block) => {
    const lines = block.split('\n')
    const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
    const data = field('data')
    return data === undefined ? [] : [{ event: field('event'), data }]
  })
}
