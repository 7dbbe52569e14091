import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { callTo, canary, compatibleKey, hear, openaiKey, patient } from '../support/model-call'
import { echo, expectFault, type Told } from '../support/model-fault'
import { type ErrorSpec, type OpenAIServer, type Script, startOpenAI } from '../support/openai'

let upstream: OpenAIServer
beforeAll(async () => {
  upstream = await startOpenAI()
})
afterAll(() => upstream.close())
beforeEach(() => upstream.reset())

const spec = (status: number, more: Partial<ErrorSpec> = {}): ErrorSpec => ({
  status,
  message: echo,
  ...more,
})

const refusals: [what: string, script: Script, told: Told][] = [
  [
    'a bad key',
    { error: 401 },
    ['provider_auth', 'vault', /^(OpenAI|[\d.:]+) refused the key ending 9e77\. Replace it in the vault\.$/],
  ],
  ['a key echoed with 401', { error: spec(401) }, ['provider_auth', 'vault', /refused the key ending 9e77/]],
  [
    'a missing scope',
    { error: 'missing_scope' },
    ['provider_auth', 'vault', /does not allow this with the key ending 9e77: “You have insufficient/],
  ],
  [
    'a country',
    { error: 'unsupported_country' },
    ['provider_auth', 'vault', /Country, region, or territory not supported/],
  ],
  [
    'an unknown model',
    { error: 'model_not_found' },
    [
      'provider_failed',
      'settings',
      /has no model named gpt-5-nano for this key\. Choose another in the agent's settings\.$/,
    ],
  ],
  [
    'a model that 403 hides',
    { error: spec(403, { code: 'model_not_found' }) },
    ['provider_failed', 'settings', /has no model named gpt-5-nano/],
  ],
  [
    'a wrong path',
    { error: spec(404, { message: 'Not Found' }) },
    ['provider_failed', 'vault', /nothing that answers at \/v1\. Check the address/],
  ],
  [
    'a rate limit',
    { error: 'rate_limit_exceeded', retryAfterSeconds: 20 },
    ['provider_failed', 'retry', /too many requests with the key ending 9e77\. Try again in 20 seconds\.$/],
  ],
  [
    'an empty account',
    { error: 'insufficient_quota' },
    ['provider_failed', 'vault', /the key ending 9e77 has no credit left/],
  ],
  ['payment required', { error: spec(402) }, ['provider_failed', 'vault', /no credit left/]],
  [
    'an error of its own',
    { error: 500 },
    [
      'provider_failed',
      'retry',
      /had an error of its own \(status 500\): “The server had an error.*” Try again\.$/,
    ],
  ],
  ['overload', { error: 503 }, ['provider_failed', 'retry', /is overloaded at the moment/]],
  ['a gateway that gave up', { error: spec(504) }, ['provider_timeout', 'retry', /took too long/]],
  [
    'a conversation that is too long',
    { error: 'context_length_exceeded' },
    ['invalid_input', 'settings', /longer than gpt-5-nano can read/],
  ],
  [
    'a content filter',
    { error: spec(400, { code: 'content_filter' }) },
    ['invalid_input', 'retry', /content filter of .* stopped this/],
  ],
  [
    'a bad request',
    { error: 400 },
    ['invalid_input', 'settings', /did not accept the request: “Invalid value: 'input'\.”/],
  ],
  [
    'a bad request that echoes the key',
    { error: spec(400) },
    ['invalid_input', 'settings', /You sent "•••", that is .*What now\?/],
  ],
  [
    'an endless message',
    { error: spec(400, { message: `${canary.repeat(50)}${'so '.repeat(9999)}` }) },
    ['invalid_input', 'settings', /^.{200,450}$/],
  ],
  ['a teapot', { error: spec(418) }, ['invalid_input', 'settings', /did not accept the request/]],
]

describe.each([
  ['OpenAI', () => openaiKey(upstream.baseUrl)],
  ['a compatible server', () => compatibleKey(upstream.baseUrl)],
] as const)('%s', (_, key) => {
  const ask = (script: Script, changes = {}) => {
    upstream.script(script)
    return hear(callTo(key(), changes))
  }

  test.each(refusals)('explains %s', async (_, script, told) => {
    expectFault(await ask(script), told)
  })

  test('says for how long to wait', async () => {
    const { error } = await ask({ error: 'rate_limit_exceeded', retryAfterSeconds: 7 })
    expect(error?.retryAfterSeconds).toBe(7)
  })

  const midway: [what: string, script: Script, told: Told][] = [
    [
      'a reset',
      { end: 'reset' },
      [
        'provider_failed',
        'retry',
        /broke before the answer was complete\. What arrived is kept\. Try again\.$/,
      ],
    ],
    [
      'a cut in mid-event',
      { end: 'cut_mid_event', close: 'clean' },
      ['provider_failed', 'retry', /ended the answer before it was complete\. What arrived is kept/],
    ],
    [
      'an abrupt cut',
      { end: 'cut_mid_event', close: 'abrupt' },
      ['provider_failed', 'retry', /What arrived is kept/],
    ],
    [
      'a cut in mid-character',
      { end: 'cut_mid_character', close: 'clean' },
      ['provider_failed', 'retry', /What arrived is kept/],
    ],
    [
      'an end before the end',
      { end: 'cut_before_end', close: 'clean', after: 2 },
      ['provider_failed', 'retry', /ended the answer before it was complete/],
    ],
    [
      'broken JSON',
      { end: 'malformed' },
      ['provider_failed', 'retry', /sent something that cannot be read as an answer\. What arrived is kept/],
    ],
    [
      'silence',
      { end: 'stall' },
      [
        'provider_timeout',
        'retry',
        /fell silent for 300 milliseconds in the middle of the answer\. What arrived is kept/,
      ],
    ],
    [
      'an error in the stream',
      { end: 'error_nested', failure: { code: 'server_error', message: echo } },
      ['provider_failed', 'retry', /had an error of its own: “You sent "•••"/],
    ],
    [
      'a flat error',
      { end: 'error_flat', failure: { code: 'rate_limit_exceeded', message: echo } },
      ['provider_failed', 'retry', /too many requests/],
    ],
    [
      'a failed response',
      { end: 'failed', failure: { code: 'insufficient_quota', message: echo } },
      ['provider_failed', 'vault', /no credit left/],
    ],
  ]

  test.each(midway)('keeps what came before %s, and explains it', async (what, script, told) => {
    const timeouts = what === 'silence' ? { ...patient, idleMs: 300 } : patient
    const heard = await ask(
      { text: ['Ein', ' schöner', ' Tag', ' für', ' 東京', '.'], ...script },
      { timeouts },
    )
    expect(heard.text).not.toBe('')
    expect('Ein schöner Tag für 東京.').toContain(heard.text)
    expect(heard.done).toBeNull()
    expectFault(heard, told)
  })

  test('explains a web page with status 200', async () => {
    expectFault(await ask({ end: 'html200' }), [
      'provider_failed',
      'vault',
      /answered with a web page, not as a model\. Check the address in the vault\.$/,
    ])
  })

  test('explains a connection that is reset before the answer', async () => {
    expectFault(await ask({ end: 'reset', after: 0 }), [
      'provider_failed',
      'retry',
      /broke before the answer began\. Try again\.$/,
    ])
  })

  test('explains an answer that does not begin', async () => {
    const heard = await ask({ firstByteDelayMs: 60_000 }, { timeouts: { ...patient, firstByteMs: 200 } })
    expectFault(heard, ['provider_timeout', 'retry', /did not begin to answer within 200 milliseconds/])
  })

  test('explains an answer that takes too long as a whole', async () => {
    const timeouts = { ...patient, totalMs: 400 }
    const heard = await ask({ text: Array(1000).fill('on '), delayMs: 20 }, { timeouts })
    expect(heard.text).toMatch(/^(on )+$/)
    expectFault(heard, [
      'provider_timeout',
      'retry',
      /was ended because it took longer than 400 milliseconds\. What arrived is kept/,
    ])
  })
})
