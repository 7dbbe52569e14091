import { request } from 'node:http'

/** Makes a call with headers as they are given, `host` included; with a body it is a POST. */
export function rawRequest(
  url: string,
  headers: Record<string, string>,
  body?: string,
): Promise<{ status: number; head: string; body: string }> {
  const method = body === undefined ? 'GET' : 'POST'
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false }, async (incoming) => {
      const { statusCode: status = 0, rawHeaders } = incoming
      const lines = rawHeaders.map((text, index) => text + (index % 2 === 0 ? ': ' : '\n'))
      let text = ''
      for await (const chunk of incoming.setEncoding('utf8')) text += chunk
      resolve({ status, head: lines.join(''), body: text })
    })
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}
