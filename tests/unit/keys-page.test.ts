import { describe, expect, test } from 'vitest'
import { type CompletionPiece, readCompletion } from '../../components/keys/completion-stream'
import { noLimits, readLimits, sayLimits, toPolicy } from '../../components/keys/limit-values'
import { type Policy, sayFallbacks, sayModels, sayPolicy, sayTime } from '../../components/keys/policy-words'
import { keyPlace, writeSnippets } from '../../components/keys/snippet-texts'
import {
  explainOutcome,
  listCallFacts,
  sayCost,
  sayLength,
  sayMarks,
  sayOutcome,
} from '../../components/keys/traffic-words'
import { explainTrial } from '../../components/keys/trial-words'
import { beginTraffic, countNew, takeNews } from '../../components/keys/use-traffic'
import { type TrafficEntry, UpdateKey } from '../../lib/contracts/keys'

const free: Policy = {
  budget_usd: null,
  budget_period: 'total',
  allowed_models: [],
  requests_per_minute: null,
  tokens_per_minute: null,
  fallback_credentials: false,
  fallback_models: [],
  cache_seconds: null,
}
const bound: Policy = {
  budget_usd: 5,
  budget_period: 'day',
  allowed_models: ['gpt-5*', 'o3'],
  requests_per_minute: 1,
  tokens_per_minute: 100_000,
  fallback_credentials: true,
  fallback_models: ['gpt-5-mini', 'gpt-5-nano'],
  cache_seconds: 300,
}

describe('a policy in words', () => {
  test('says what is limited, and nothing of what is not', () => {
    expect(sayPolicy(free)).toEqual([])
    expect(sayPolicy(bound)).toEqual([
      '$5.00 a day',
      '1 request a minute',
      '100,000 tokens a minute',
      'only gpt-5*, o3',
      'falls back to the next key, then gpt-5-mini, then gpt-5-nano',
      'answers kept for 5 minutes',
    ])
  })

  test('names a few of many models', () => {
    expect(sayModels(['a', 'b', 'c'])).toBe('a, b, c')
    expect(sayModels(Array.from({ length: 100 }, (_, n) => `m${n}`))).toBe('m0, m1, m2 and 97 more')
  })

  test('tells fallbacks in their order', () => {
    expect(sayFallbacks(free)).toBeNull()
    expect(sayFallbacks({ ...free, fallback_credentials: true })).toBe('the next key')
    expect(sayFallbacks({ ...free, fallback_models: ['a'] })).toBe('a')
  })

  test.each([
    [1, '1 second'],
    [90, '90 seconds'],
    [60, '1 minute'],
    [300, '5 minutes'],
    [3600, '1 hour'],
    [5400, '90 minutes'],
    [86_400, '1 day'],
    [604_800, '7 days'],
  ])('%d seconds are %s', (seconds, words) => expect(sayTime(seconds)).toBe(words))
})

describe('limits in the form', () => {
  test('a key that is opened and saved stays as it is', () => {
    for (const policy of [bound, free, { ...bound, budget_period: 'total' as const, cache_seconds: 90 }]) {
      const body = UpdateKey.parse(toPolicy(readLimits(policy)))
      expect({ ...policy, ...body }).toEqual(policy)
    }
  })

  test('what was emptied is taken back', () => {
    const emptied = { ...readLimits(bound), budget: ' ', requests: '', tokens: '', models: [], cache: 'off' }
    expect(UpdateKey.parse(toPolicy(emptied))).toEqual({
      budget_usd: null,
      requests_per_minute: null,
      tokens_per_minute: null,
      allowed_models: [],
      fallback_credentials: true,
      fallback_models: ['gpt-5-mini', 'gpt-5-nano'],
      cache_seconds: null,
    })
  })

  test('the line over the folded ones says what is typed', () => {
    expect(sayLimits(noLimits)).toEqual([])
    expect(sayLimits({ ...noLimits, budget: '2.5', period: 'month' })).toEqual(['$2.50 a month'])
    expect(sayLimits(readLimits(bound))).toEqual(sayPolicy(bound))
  })
})

const call: TrafficEntry = {
  id: '01a229ab-e387-7214-9c65-e03157c62508',
  at: '2026-03-10T12:00:00.123Z',
  endpoint: '/chat/completions',
  model: 'gpt-5',
  provider: 'openai',
  credential_label: 'Team ··9e77',
  status: 200,
  outcome: 'completed',
  input_tokens: 1200,
  cached_tokens: 1024,
  output_tokens: 50,
  estimated: false,
  cost_usd: 0.0123,
  first_token_ms: 41,
  duration_ms: 1900,
  retries: 0,
  cache: null,
  request_id: 'req_12345678',
}

describe('a call in words', () => {
  test.each([
    [{}, 'good', '200', null],
    [{ status: null }, 'good', 'Done', null],
    [{ status: null, cache: 'hit' }, 'good', 'From cache', null],
    [{ outcome: 'failed', status: 429 }, 'bad', '429 Failed', /too many requests/],
    [{ outcome: 'failed', status: 401 }, 'bad', '401 Failed', /vault/],
    [{ outcome: 'failed', status: 418 }, 'bad', '418 Failed', /418/],
    [{ outcome: 'failed', status: 503 }, 'bad', '503 Failed', /failed/],
    [{ outcome: 'failed', status: null }, 'bad', 'No answer', /No model server/],
    [{ outcome: 'failed', status: 200 }, 'bad', 'Failed', /began to answer/],
    [{ outcome: 'stopped' }, 'idle', 'Stopped', /left/],
    [{ outcome: 'interrupted' }, 'warn', 'Broken off', /broke off/],
  ] as const)('%j', (change, tone, words, why) => {
    const entry = { ...call, ...change }
    expect(sayOutcome(entry)).toEqual({ tone, words })
    if (why === null) expect(explainOutcome(entry)).toBeNull()
    else expect(explainOutcome(entry)).toMatch(why)
  })

  test.each([
    [0, '$0.00'],
    [0.000012, '$0.000012'],
    [0.0123, '$0.0123'],
    [0.5, '$0.5000'],
    [12.345, '$12.35'],
    [null, 'Unknown'],
  ])('a cost of %d is %s', (cost_usd, words) => expect(sayCost({ ...call, cost_usd })).toBe(words))

  test('an estimate says that it is one', () => {
    expect(sayCost({ ...call, estimated: true })).toBe('~$0.0123')
    expect(sayCost({ ...call, estimated: true, cost_usd: 0 })).toBe('$0.00')
    expect(listCallFacts({ ...call, estimated: true })).toContainEqual(['Counted', expect.any(String)])
  })

  test.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1900, '1.9 s'],
    [75_000, '75.0 s'],
    [605_000, '10 min 5 s'],
    [119_700, '2 min 0 s'],
  ])('%d ms are %s', (ms, words) => expect(sayLength(ms)).toBe(words))

  test('says all that is known, and nothing of what is not', () => {
    expect(listCallFacts(call)).toEqual([
      ['Time', '2026-03-10 12:00:00.123 UTC'],
      ['Call', '/chat/completions'],
      ['Provider', 'openai'],
      ['Provider key', 'Team ··9e77'],
      ['Tokens', '1,200 in (1,024 cached), 50 out'],
      ['First token', '41 ms'],
      ['Took', '1.9 s'],
      ['Request', 'req_12345678'],
    ])
    const little = { endpoint: null, credential_label: null, first_token_ms: null, request_id: null }
    expect(listCallFacts({ ...call, ...little }).map(([heading]) => heading)).toEqual([
      'Time',
      'Provider',
      'Tokens',
      'Took',
    ])
    expect(listCallFacts({ ...call, retries: 2, cache: 'hit' })).toEqual(
      expect.arrayContaining([
        ['Tried again', '2 times'],
        ['Cache', 'From here, at no cost'],
      ]),
    )
  })

  test.each([
    ['completed', 'Asked, and kept'],
    ['failed', 'Asked, and not kept'],
    ['interrupted', 'Asked, and not kept'],
  ] as const)('of a call that was %s, the answer was: %s', (outcome, words) =>
    expect(listCallFacts({ ...call, outcome, cache: 'miss' })).toContainEqual(['Cache', words]),
  )

  test.each([
    [{}, null],
    [{ cache: 'miss' }, null],
    [{ cache: 'hit' }, 'From cache'],
    [{ retries: 1 }, '1 retry'],
    [{ retries: 2, cache: 'hit' }, 'From cache · 2 retries'],
  ] as const)('what %j sets apart is said where there is no column for it', (change, words) =>
    expect(sayMarks({ ...call, ...change })).toBe(words),
  )
})

describe('traffic that is kept up to date', () => {
  const idOf = (n: number) => `01a229ab-e387-7214-9c65-${String(n).padStart(12, '0')}`
  /** Calls from the newest down. */
  const calls = (from: number, to: number) =>
    Array.from({ length: from - to + 1 }, (_, n) => ({ ...call, id: idOf(from - n) }))
  const page = (from: number, to: number) => ({
    items: calls(from, to),
    next_cursor: to > 1 ? `at-${to}` : null,
  })
  const ids = ({ items }: { items: TrafficEntry[] }) => items.map(({ id }) => id)

  test('new calls come on top, and the list stays as long as it was', () => {
    const shown = beginTraffic(page(20, 11))
    const news = page(22, 13)
    expect(countNew(shown, news)).toBe(2)
    expect(takeNews(shown, news)).toEqual(beginTraffic(news))
  })

  test('what was asked for beyond the newest stays', () => {
    const long = { ...beginTraffic(page(20, 1)), isLong: true }
    const taken = takeNews(long, page(22, 13))
    expect(ids(taken)).toEqual(ids(page(22, 1)))
    expect([taken.next, taken.isLong]).toEqual([null, true])
  })

  test('a slow call that ends after faster ones comes in at its place', () => {
    const before = { items: calls(22, 12).filter(({ id }) => id !== idOf(21)), next_cursor: 'at-12' }
    const news = page(22, 13)
    expect(countNew(before, news)).toBe(1)
    expect(ids(takeNews(beginTraffic(before), news))).toEqual(ids(news))
    const taken = takeNews({ ...beginTraffic(before), isLong: true }, news)
    expect(ids(taken)).toEqual(ids(page(22, 12)))
    expect(countNew(taken, news)).toBe(0)
  })

  test('where calls in between were missed, the list begins anew and has no hole', () => {
    const long = { ...beginTraffic(page(20, 1)), isLong: true }
    expect(takeNews(long, page(40, 31))).toEqual(beginTraffic(page(40, 31)))
  })

  test('the first call of all is shown', () => {
    const none = beginTraffic({ items: [], next_cursor: null })
    expect(countNew(none, page(1, 1))).toBe(1)
    expect(takeNews(none, page(1, 1))).toEqual(beginTraffic(page(1, 1)))
  })
})

describe('snippets', () => {
  const call = { baseUrl: 'https://chat.example.com/v1', model: 'agent:01a229ab' }

  test('each has the address, the model and the name of the variable, and no place for a key', () => {
    const snippets = writeSnippets({ ...call, isKeyInside: false })
    expect(snippets.map(({ label }) => label)).toEqual(['Python', 'Node', 'AI SDK', 'curl', 'LangChain'])
    for (const { code } of snippets) {
      for (const part of [call.baseUrl, call.model, 'AL_CHAT_KEY']) expect(code).toContain(part)
      expect(code).not.toContain(keyPlace)
    }
  })

  test('with the key inside each has one place for it, and does without the environment', () => {
    const snippets = writeSnippets({ ...call, isKeyInside: true })
    expect(snippets[0]?.code).toContain('OPENAI_BASE_URL="https://chat.example.com/v1"')
    for (const { code } of snippets) {
      expect(code.split(keyPlace)).toHaveLength(2)
      expect(code).not.toMatch(/AL_CHAT_KEY|import os/)
    }
  })

  test('a model with quotes in its name breaks out of none of them', () => {
    const odd = writeSnippets({ ...call, model: `a'b"c\\d`, isKeyInside: false })
    const code = (label: string) => odd.find((each) => each.label === label)?.code
    expect(code('Python')).toContain(String.raw`model="a'b\"c\\d"`)
    expect(code('Node')).toContain(String.raw`model: 'a\'b"c\\d'`)
    expect(code('curl')).toContain(String.raw`"model":"a'\''b\"c\\d"`)
  })
})

describe('a streamed answer', () => {
  const head = { headers: { 'x-request-id': 'request-1' } }

  async function read(text: string, size = 7): Promise<CompletionPiece[]> {
    const bytes = new TextEncoder().encode(text)
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
        controller.close()
      },
    })
    const pieces: CompletionPiece[] = []
    for await (const piece of readCompletion(new Response(body, head))) pieces.push(piece)
    return pieces
  }
  const event = (data: unknown) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
  const word = (content: unknown) => event({ choices: [{ delta: { content } }] })

  test('is read wherever it is cut', async () => {
    const usage = {
      prompt_tokens: 12,
      completion_tokens: 3,
      prompt_tokens_details: { cached_tokens: 4 },
    }
    const text = `${word('Grüße ')}: a comment\n\n${word('世界')}${event({ choices: [], usage })}${event('[DONE]')}`
    for (const size of [1, 2, 3, 1000]) {
      const pieces = await read(text, size)
      expect(pieces.map((piece) => piece.text ?? '').join('')).toBe('Grüße 世界')
      expect(pieces.find(({ tokens }) => tokens)?.tokens).toEqual({ input: 12, cached: 4, output: 3 })
      expect(pieces.at(-1)).toEqual({ isEnd: true })
    }
  })

  test('what is no text and no JSON is passed over', async () => {
    const pieces = await read(`${word(null)}${word(7)}${event('{')}${event('null')}${event({ usage: null })}`)
    expect(pieces.every((piece) => piece.text === undefined && !piece.tokens && !piece.isEnd)).toBe(true)
  })

  test('an error in between is thrown with the request’s id', async () => {
    const text = `${word('One')}${event({ error: { message: 'Overloaded', type: 'server_error', code: null } })}`
    await expect(read(text)).rejects.toMatchObject({
      message: 'Overloaded',
      code: 'server_error',
      requestId: 'request-1',
    })
  })
})

test.each([
  [
    'insufficient_quota',
    429,
    'You exceeded it',
    ['There is no budget or credit left for this.', 'You exceeded it'],
  ],
  ['model_not_found', 404, 'No', [expect.stringContaining('“gpt-9”'), 'No']],
  ['broken_off', 0, 'whatever', [expect.stringContaining('broke off')]],
  ['provider_failed', 502, 'The model server failed.', ['The model server failed.']],
  ['toString', 500, 'Odd', ['Odd']],
])('why a trial failed: %s', (code, status, message, words) => {
  expect(explainTrial({ code, status, message }, 'gpt-9')).toEqual(words)
})
