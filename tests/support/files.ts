import { request } from 'node:http'
import type { Client } from './client'

/** The smallest PNG: one pixel. */
export const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** A form as a browser sends it. */
export function formOf(
  name: string,
  content: string | Buffer,
  fields: Record<string, string> = {},
): FormData {
  const form = new FormData()
  for (const [field, value] of Object.entries(fields)) form.set(field, value)
  form.set('file', new File([typeof content === 'string' ? content : new Uint8Array(content)], name))
  return form
}

/** Uploads a small file. */
export function upload(
  client: Client,
  name: string,
  content: string | Buffer,
  fields: Record<string, string> = {},
) {
  return client.call('POST', '/api/files/upload', { body: formOf(name, content, fields) })
}

type Stream = {
  /** Bytes of the file. */
  bytes: number
  /** Hangs up after so many of them. */
  hangUpAfter?: number
  filename?: string
  /** Tells the length of the body beforehand. */
  declares?: boolean
}

/**
 * Uploads a large text in chunks, of which one at a time is in memory; resolves to the status, or to null where the
 * connection ended without one.
 */
export function uploadStream(
  { url, token }: Client,
  { bytes, hangUpAfter, filename = 'large.txt', declares = false }: Stream,
): Promise<{ status: number; text: string } | null> {
  const boundary = 'boundary-of-the-tests'
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${filename}"\r\n\r\n`
  const tail = `\r\n--${boundary}--\r\n`
  const chunk = Buffer.alloc(64 * 1024, 'a line of text\n')
  return new Promise((resolve) => {
    const call = request(`${url}/api/files/upload`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': `multipart/form-data; boundary=${boundary}`,
        ...(declares && { 'content-length': head.length + bytes + tail.length }),
      },
    })
    call.on('response', (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
    })
    call.on('error', () => resolve(null))
    call.on('close', () => resolve(null))
    let sent = 0
    const write = () => {
      while (sent < bytes && !call.destroyed) {
        if (hangUpAfter !== undefined && sent >= hangUpAfter) return void call.destroy()
        const piece = chunk.subarray(0, Math.min(chunk.length, bytes - sent))
        sent += piece.length
        if (!call.write(piece)) return void call.once('drain', write)
      }
      if (!call.destroyed) call.end(tail)
    }
    call.write(head)
    write()
  })
}
