import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FaultWords } from '../../lib/gateway/fault-words'

const apiKey = 'sk-test-fault-words-51ce'
const key = { provider: 'openai' as const, baseUrl: 'http://127.0.0.1/v1', apiKey, last4: '51ce' }
const leak = `Limit in organization\norg-AbC (proj_x9). Key ${apiKey} – “世界”.`
const hidden = 'Limit in organization\n••• (•••). Key ••• – “世界”.'

function tell(pieces: Uint8Array[], isStream: boolean): Buffer {
  const words = new FaultWords(key, isStream)
  return Buffer.concat([...pieces.map((piece) => words.take(Buffer.from(piece))), words.end()])
}

function cut(bytes: Buffer, places: number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b)
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

const event = (body: object, type?: string) =>
  `${type ? `event: ${type}\n` : ''}data: ${JSON.stringify(body)}\n\n`
const failed = (message: string) => ({
  type: 'response.failed',
  response: {
    id: 'resp_1',
    status: 'failed',
    error: { code: 'server_error', message },
    output: [
      {
        type: 'message',
        content: [{ type: 'output_text', text: 'org-mine "error":{"message":"proj_mine"}' }],
      },
    ],
    tools: [{ parameters: { properties: { error: { description: 'org-schema' } } } }],
    metadata: { error: 'org-mine' },
  },
})
const said = [
  event({ type: 'response.created', response: { error: null, status: 'in_progress' } }, 'response.created'),
  event({ choices: [{ delta: { content: 'org-mine, sk-mine-0123456789, "error":{' } }] }),
]
const faults = (message: string) => [
  event(failed(message), 'response.failed'),
  event({ type: 'error', code: 'server_error', message, param: null }, 'error'),
  event({ type: 'error', error: { message } }, 'error'),
  event({ error: { message, code: 429, details: [{ text: message }] } }),
  event({ error: message }),
  event({ id: 'c', choices: [{ error: { message }, delta: { content: 'org-mine' } }] }),
]

describe('what errors in answers of status 200 tell', () => {
  test('of a stream, they lose the key and its account, and all else stays, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4000), { maxLength: 40 }), fc.boolean(), (places, isCrlf) => {
        const whole = (message: string) => {
          const text = [...said, ...faults(message), 'data: [DONE]\n\n'].join('')
          return isCrlf ? text.replaceAll('\n', '\r\n') : text
        }
        expect(tell(cut(Buffer.from(whole(leak)), places), true).toString()).toBe(whole(hidden))
      }),
      { numRuns: 300 },
    )
  })

  test('of a whole answer the same', () => {
    const whole = (message: string) => `${JSON.stringify(failed(message).response, null, 2)}\n\n`
    for (const places of [[], [5, 90, 100, 130]])
      expect(tell(cut(Buffer.from(whole(leak)), places), false).toString()).toBe(whole(hidden))
  })

  test('what says nothing of them stays, also what is no UTF-8, or no JSON', () => {
    const odd = Buffer.concat([
      Buffer.from('data: {"error":{"message":"'),
      Buffer.from([0xff, 0xfe, 0xc3]),
      Buffer.from('\\u00e9"}}\n\ndata: {"error":{"message":"cut off'),
    ])
    expect(tell([odd], true).equals(odd)).toBe(true)
  })

  test('whole events pass at once', () => {
    const words = new FaultWords(key, true)
    const bytes = Buffer.from(said.join(''))
    expect(words.take(bytes).buffer).toBe(bytes.buffer)
    expect(words.take(Buffer.from(faults(leak)[0] ?? '')).toString()).toBe(faults(hidden)[0])
  })

  test('what is too large to be held passes, and what follows it is read again', () => {
    const large = Buffer.from(event({ b64_json: 'x'.repeat(9 * 1024 * 1024) }))
    const faultsAs = (message: string) => Buffer.from(faults(message).join(''))
    const places = Array.from({ length: 40 }, (_, n) => n * 250_007)
    const heard = tell(cut(Buffer.concat([large, faultsAs(leak)]), [...places, large.length - 1]), true)
    expect(heard.equals(Buffer.concat([large, faultsAs(hidden)]))).toBe(true)
  })
})
