import { afterEach, describe, expect, test } from 'vitest'
import { testKey } from '../../lib/providers'
import { completions } from '../../lib/providers/completions'
import { responses } from '../../lib/providers/responses'
import { callTo, compatibleKey, type Heard, openaiKey } from '../support/model-call'
import { expectFault } from '../support/model-fault'
import { framesOf } from '../support/model-frames'
import { expectSound } from '../support/model-sound'
import { connectToTape, hearTape, type Take } from '../support/model-tape'
import { type RawServer, startFlood, startHttp } from '../support/raw-server'

let raw: RawServer | undefined
afterEach(async () => {
  await raw?.close()
  raw = undefined
})

const reserved = ['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', 'then']
/** As a key, which an object literal would not make of `__proto__`. */
const keyed = (name: string, value: unknown) =>
  JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(value)}}`)
const nested = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels))

describe.each(['openai', 'openai-compatible'] as const)('%s', (provider) => {
  const said = (pieces: string[]) => pieces.map((piece) => ({ kind: 'text' as const, piece, part: 0 }))
  const answer = (pieces: string[], end = 'completed') =>
    framesOf(provider, { said: said(pieces), end, isSilent: false })
  const key = { ...compatibleKey('http://127.0.0.1:9/v1'), provider }
  const dialect = provider === 'openai' ? responses : completions

  async function hearBytes(pieces: Buffer[], take: Partial<Take> = {}): Promise<Heard> {
    const { connect } = connectToTape(() => ({ pieces, end: 'clean', ...take }))
    const heard = await hearTape(callTo(key), dialect, connect)
    expectSound(heard)
    return heard
  }
  const hearEvents = (events: unknown[]) =>
    hearBytes(
      events.map((event) =>
        Buffer.from(`data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`),
      ),
    )

  const words = ['Grüße', ' 東京', ' 👩‍👩‍👧', '\r\n', '\ufeff', '.']
  const framed = (ending: string, opening = '') =>
    Buffer.from(
      opening +
        answer(words)
          .map((data) => `: é${ending}data: ${data}${ending}${ending}`)
          .join(''),
    )

  test.each([
    ['LF', '\n'],
    ['CR', '\r'],
    ['CR LF', '\r\n'],
  ])('is heard byte for byte when lines end with %s and the bytes are cut anywhere', async (_, ending) => {
    const bytes = framed(ending, '\ufeff')
    const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
    expect((await hearBytes(single)).text).toBe(words.join(''))
    for (let at = 0; at <= bytes.length; at++)
      expect((await hearBytes([bytes.subarray(0, at), bytes.subarray(at)])).text).toBe(words.join(''))
  })

  test('is heard when its lines end in every way at once', async () => {
    const endings = ['\n', '\r', '\r\n']
    const lines = answer(words).flatMap((data) => [`data: ${data}`, ''])
    const bytes = Buffer.from(lines.map((line, at) => line + endings[at % 3]).join(''))
    for (let at = 0; at <= bytes.length; at++)
      expect((await hearBytes([bytes.subarray(0, at), bytes.subarray(at)])).text).toBe(words.join(''))
  })

  test('cannot send what no database stores', async () => {
    const heard = await hearEvents(answer(['a\0b', '\ud83d', 'c', '\ude00', '\ud83d', '\ude00', 'd\ud800']))
    expect(heard.text).toBe('a\ufffdb\ufffdc\ufffd😀d\ufffd')
    const bytes = Buffer.from(
      answer(['AB'])
        .map((data) => `data: ${data}\n\n`)
        .join(''),
    )
    const at = bytes.indexOf('AB')
    const replaced = (unit: number[]) =>
      hearBytes([bytes.subarray(0, at), Buffer.from(unit), bytes.subarray(at + 2)])
    // Half a character in UTF-8, a byte that is none, and one that JSON forbids.
    expect((await replaced([0xed, 0xa0, 0x80])).text).toBe('\ufffd\ufffd\ufffd')
    expect((await replaced([0xff])).text).toBe('\ufffd')
    expectFault(await replaced([0]), ['provider_failed', 'retry', /cannot be read as an answer/])
  })

  test.each(reserved)('cannot reach into the program by the name %s', async (name) => {
    const frames = answer(['Fine.'])
    const named = {
      type: name,
      id: name,
      index: 0,
      role: name,
      delta: keyed(name, { polluted: true }),
      choices: [{ index: 0, delta: keyed(name, 'x'), finish_reason: name }],
      response: {
        id: name,
        output: [{ type: name, content: [keyed(name, name)] }],
        ...keyed(name, { polluted: true }),
      },
      ...keyed(name, { polluted: true }),
    }
    const heard = await hearEvents([named, ...frames])
    expect(heard).toMatchObject({ text: 'Fine.', error: null })
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    expect(
      (await hearEvents([{ ...named, choices: [], error: { code: name, type: name, message: name } }])).error,
    ).not.toBeNull()
  })

  test.each(reserved)('cannot end an answer for the reason %s', async (name) => {
    const events = [
      { choices: [{ index: 0, delta: { content: 'Fine.' }, finish_reason: name }] },
      { type: 'response.output_text.delta', delta: 'Fine.' },
      { type: 'response.incomplete', response: { incomplete_details: { reason: name } } },
      '[DONE]',
    ]
    expect((await hearEvents(events)).text).toBe('Fine.')
  })

  test.each([
    ['an object that has no words', { toString: null, valueOf: null }],
    ['lists in lists', nested(1000)],
    ['a number that is none', 1e308],
    ['a word', 'x'],
  ])('may send %s in every place', async (_, value) => {
    const events = [
      {
        type: 'response.reasoning_summary_text.delta',
        delta: 'So.',
        output_index: value,
        summary_index: value,
      },
      { type: 'response.reasoning_text.delta', delta: 'So.', output_index: value, content_index: value },
      { type: 'response.output_text.delta', delta: value },
      { type: value, response: value, delta: value },
      {
        choices: [
          { index: 0, delta: { content: value, reasoning: value, refusal: value }, finish_reason: value },
        ],
      },
      { choices: [{ index: value, delta: { content: 'Not mine.' } }], usage: value },
      { choices: [value, { index: 0, delta: value }] },
      ...answer(['Fine.']),
    ]
    const heard = await hearEvents(events)
    expect(heard.error).toBeNull()
    expect(heard.text.endsWith('Fine.')).toBe(true)
  })

  test('may nest as deep as it likes', async () => {
    const deep = '['.repeat(10_000) + ']'.repeat(10_000)
    const objects = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`
    const heard = await hearEvents([
      `{"type":"x","choices":${deep}}`,
      `{"type":"y","a":${objects}}`,
      ...answer(['Fine.']),
    ])
    expect(heard).toMatchObject({ text: 'Fine.', error: null })
    for (const body of [deep, objects, `{"error":${deep}}`, `{"error":{"message":${objects}}}`]) {
      const refused = await hearBytes([Buffer.from(body)], { status: 400, headers: {} })
      expectFault(refused, ['invalid_input', 'settings', /did not accept the request/])
    }
  })

  test.each([-1, 1.5, 1e10, 2 ** 53, 1e308, '7', null, [7]])(
    'is not believed to have counted %j tokens',
    async (count) => {
      const usage = {
        prompt_tokens: count,
        completion_tokens: count,
        input_tokens: count,
        output_tokens: count,
      }
      const events = [
        { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage },
        { type: 'response.completed', response: { usage } },
        '[DONE]',
      ]
      expect((await hearEvents(events)).done?.usage).toBeNull()
    },
  )

  test('is heard once when it says its end again, and not after it', async () => {
    const frames = answer(['Once.'])
    const more = answer([' More.'])
    const heard = await hearEvents([
      ...frames,
      ...frames,
      ...more,
      '{"error":{"message":"late"}}',
      'garbage',
      '[DONE]',
    ])
    expect(heard).toMatchObject({ text: 'Once.', error: null })
    expect(heard.events.filter(({ type }) => type === 'done')).toHaveLength(1)
  })

  test('that ends before it begins is at its end', async () => {
    const [opening = '', ...others] = answer(['Late.'])
    const ends = provider === 'openai' ? others.slice(-1) : ['[DONE]']
    const heard = await hearEvents([...ends, opening, ...others])
    expect(heard.error).toBeNull()
    expect(heard.events.at(-1)?.type).toBe('done')
  })
})

test('a number of an event that no database can store is no cursor', async () => {
  const created = {
    type: 'response.created',
    sequence_number: 0,
    response: { id: 'resp_1', background: true },
  }
  const frames = [-5, 1.5, 2 ** 31, 2 ** 53, '7', null].map((sequence_number) => ({
    type: 'response.output_text.delta',
    delta: 'x',
    sequence_number,
  }))
  const events = [created, ...frames, { type: 'response.completed', sequence_number: 9, response: {} }]
  const pieces = events.map((event) => Buffer.from(`data: ${JSON.stringify(event)}\n\n`))
  const { connect } = connectToTape(() => ({ pieces, end: 'clean' }))
  const heard = await hearTape(
    callTo(openaiKey('http://127.0.0.1:9/v1'), { background: true }),
    responses,
    connect,
  )
  expectSound(heard)
  expect(heard.text).toBe('xxxxxx')
  expect(heard.events.some((event) => 'cursor' in event)).toBe(false)
})

test('a list of models may be as hostile as an answer', async () => {
  const signal = new AbortController().signal
  raw = await startFlood({ headers: { 'content-type': 'application/json' }, again: '{"data":['.repeat(7000) })
  await expect(testKey(openaiKey(raw.baseUrl), signal)).rejects.toMatchObject({ code: 'provider_failed' })
  await raw.close()
  raw = await startHttp((_, response) => response.end('['.repeat(10_000) + ']'.repeat(10_000)))
  await expect(testKey(openaiKey(raw.baseUrl), signal)).rejects.toMatchObject({ code: 'provider_failed' })
})
