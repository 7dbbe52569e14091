import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deltasBefore } from './ends.ts'
import { beginStream, type Exchange, send } from './exchange.ts'
import { faultOf, follow } from './follow.ts'
import { Production } from './production.ts'
import { StreamWriter } from './stream-writer.ts'

type Meta = { status?: number; content_type?: string; sse?: boolean }

/** Headers of a recording that belong to its connection or stand for something taken out. */
const unsent = ['connection', 'transfer-encoding', 'content-length', 'content-encoding', 'date', 'keep-alive']

/** Sends a recorded exchange byte for byte, a stream event by event; rejects when the folder holds none. */
export async function replayExchange(exchange: Exchange, folder: string): Promise<void> {
  const body = await readFile(join(folder, 'response.body'))
  const meta = (await readJson(join(folder, 'meta.json'))) as Meta
  const headers = (await readJson(join(folder, 'response.headers.json'))) as Record<string, string[]>
  for (const [name, values] of Object.entries(headers)) {
    if (!unsent.includes(name) && !values.some((value) => value.startsWith('<'))) {
      exchange.response.setHeader(name, [...new Set(values)].join(', '))
    }
  }
  if (meta.sse !== true) return send(exchange, body, meta.content_type, meta.status)
  beginStream(exchange)
  await replayStream(exchange, body)
}

/** A file that may be missing from a recording. */
async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

async function replayStream(exchange: Exchange, body: Buffer): Promise<void> {
  const writer = new StreamWriter(exchange.response, exchange.script)
  for (let at = 0; at < body.length; ) {
    const blank = body.indexOf('\n\n', at)
    const end = blank < 0 ? body.length : blank + 2
    if (!(await writer.writeBytes(body.subarray(at, end)))) return
    at = end
  }
  exchange.response.end()
}

/** Streams pieces as they are, at the pace and to the end of the script. */
export async function sendRaw({ response, script, ...exchange }: Exchange, pieces: string[]): Promise<void> {
  const production = new Production()
  response.once('close', () => production.stop())
  const running = production.run(
    pieces.map((sse) => ({ sse, delta: true })),
    script,
  )
  beginStream({ response, script, ...exchange })
  const fault = faultOf(script, deltasBefore(script, pieces.length))
  if (!(await follow(production, response, script, { from: 0, fault }))) production.stop()
  await running
}
