import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { AppError } from '../../lib/errors'
import { lastWordsOf } from '../../lib/gateway/last-words'
import { StreamMeter } from '../../lib/gateway/meter'

const events = [
  '{"choices":[{"delta":{"content":"a"}}],"usage":null}',
  '{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}',
]
const stream = [...events, '[DONE]'].map((data) => `data: ${data}\n\n`).join('')
const broken = new AppError('provider_failed', 'It went.')

function meterOf(text: string, places: number[] = []): StreamMeter {
  const meter = new StreamMeter()
  const bytes = Buffer.from(text)
  const ends = [...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b)
  for (const [index, end] of [...ends, bytes.length].entries())
    meter.chunk(bytes.subarray(ends[index - 1] ?? 0, end))
  return meter
}

test('the use is read from the end of a stream, however it was cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { maxLength: 20 }), (places) => {
      expect(meterOf(stream, places).usage()).toMatchObject({ input_tokens: 7, output_tokens: 3 })
    }),
  )
})

test('a use that words only speak of is none', () => {
  const words = JSON.stringify({
    choices: [{ delta: { content: '"usage": {"prompt_tokens": 1, "completion_tokens": 1}' } }],
  })
  expect(meterOf(`data: ${words}\n\n`).usage()).toBeNull()
})

describe('the use is found', () => {
  const use = '"usage":{"input_tokens":11,"output_tokens_details":{"reasoning_tokens":2},"output_tokens":5}'

  test('in a whole answer, whatever follows it', () => {
    const answer = `{"output":[],"tools":[{"usage":{"type":"object"}}],${use},"metadata":{"a":"${'x'.repeat(100_000)}"}}`
    expect(meterOf(answer).usage()).toMatchObject({ input_tokens: 11, output_tokens: 5, reasoning_tokens: 2 })
    expect(meterOf(answer, [70, 90, 130, 40_000]).usage()).toMatchObject({ output_tokens: 5 })
  })

  test('in a stream that tells much after it, wherever it was cut', () => {
    const whole = `data: {"usage":null}\n\ndata: {"a":"usage",${use.replace(':{', ' : {')},"prompt_logprobs":[`
    const rest = `${'{"7":{"logprob":-1}},'.repeat(2000)}]}\n\n`
    for (let place = 1; place < whole.length; place++)
      expect([place, meterOf(whole + rest, [place]).usage()?.output_tokens]).toEqual([place, 5])
  })

  test('as it was told last', () => {
    const told = (tokens: number) =>
      `data: {${use.replace('"output_tokens":5', `"output_tokens":${tokens}`)}}\n\n`
    expect(meterOf(told(1) + told(2) + told(3)).usage()).toMatchObject({ output_tokens: 3 })
    const later = `data: {"parameters":{"usage":{"type":"string"}}}\n\n`
    expect(meterOf(told(4) + later).usage()).toMatchObject({ output_tokens: 4 })
  })

  test('but what never ends is not gathered', () => {
    expect(
      meterOf(`{"usage":{"input_tokens":1,"x":"${'x'.repeat(50_000)}"`, [9, 20, 3000, 30_000]).usage(),
    ).toBeNull()
  })
})

describe('a message of Claude that has begun', () => {
  const begin =
    'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":25,"output_tokens":1}}}\n\n'

  test('has not told its use yet, wherever it was cut', () => {
    for (let place = 1; place < begin.length; place++) {
      const meter = meterOf(begin, [place])
      expect([place, meter.usage(), meter.hasSaidAll]).toEqual([place, null, false])
      expect(meter.usageSoFar()).toMatchObject({ input_tokens: 25 })
    }
  })

  test('nor where its reader knows no more', () => {
    const meter = meterOf(begin)
    const told = { input_tokens: 30, output_tokens: 1, total_tokens: 31 }
    meter.tell(told, { isFinal: false })
    expect([meter.usage(), meter.usageSoFar()]).toEqual([null, told])
    meter.tell({ ...told, output_tokens: 90 }, { isFinal: true })
    expect(meter.usage()).toMatchObject({ output_tokens: 90 })
  })
})

describe('the estimate of what was said', () => {
  const event = (length: number, end = '\n\n') => `data: {"c":"${'x'.repeat(length)}"}${end}`

  test.each(['\n\n', '\r\n\r\n'])('counts events of usual size, wherever they were cut: %j', (end) => {
    const whole = event(100, end) + event(2, end) + event(300, end)
    for (let place = 1; place < whole.length; place++)
      expect([place, meterOf(whole, [place]).estimateOutput()]).toEqual([place, 3])
  })

  test('counts the text of long events', () => {
    for (const places of [[], [100, 9000, 25_010]]) {
      const estimate = meterOf(event(25_000) + event(10), places).estimateOutput()
      expect(estimate).toBeGreaterThan(6000)
      expect(estimate).toBeLessThan(6400)
    }
  })

  test('counts the text of an event that is not over, and of an answer that is no stream', () => {
    expect(meterOf(event(10) + event(25_000).slice(0, 20_000)).estimateOutput()).toBeGreaterThan(4800)
    expect(meterOf(JSON.stringify({ text: 'x'.repeat(100_000) })).estimateOutput()).toBeCloseTo(25_000, -2)
    expect(meterOf('').estimateOutput()).toBe(0)
  })

  test('does not count what a response says twice, wherever it was cut', () => {
    const created = `event: response.created\ndata: {"instructions":"${'x'.repeat(2000)}"}\n\n`
    const done = `event: response.output_text.done\ndata: {"text":"${'x'.repeat(2000)}"}\n\n`
    const delta = `event: response.output_text.delta\ndata: {"delta":"${'x'.repeat(800)}"}\n\n`
    const whole = created + delta + done
    const estimate = meterOf(whole).estimateOutput()
    expect(estimate).toBeGreaterThan(100)
    expect(estimate).toBeLessThan(150)
    for (let place = 1; place < whole.length; place++)
      expect([place, meterOf(whole, [place]).estimateOutput()]).toEqual([place, estimate])
  })
})

describe('whether a stream has said all', () => {
  const reason = '{"choices":[{"delta":{},"finish_reason":"stop"}]}'
  const claude = 'event: message_stop\ndata: {"type":"message_stop"}\n\n'
  const responses = 'event: response.completed\ndata: {"response":{"output":["x"]}}\n\n'

  test.each([
    stream,
    `data: ${events[0]}\n\ndata: ${reason}\n\n`,
    claude,
    responses,
    stream.replaceAll('\n', '\r\n'),
  ])('is known wherever it was cut: %j', (whole) => {
    for (let place = 1; place < whole.length; place++)
      expect([place, meterOf(whole, [place]).hasSaidAll]).toEqual([place, true])
  })

  test('is not taken from its beginning, nor from what a model says', () => {
    const words = (text: string) => `data: ${JSON.stringify({ choices: [{ delta: { content: text } }] })}\n\n`
    for (const text of [
      'data: [DONE]',
      '\ndata: [DONE]\n',
      '"finish_reason":"stop"',
      'event: message_stop',
      responses,
    ])
      expect([text, meterOf(words(text)).hasSaidAll]).toEqual([text, false])
    for (const beginning of [`data: ${events[0]}\n\n`, 'event: response.created\ndata: {}\n\n', ': hi\n\n'])
      expect([beginning, meterOf(beginning).hasSaidAll]).toEqual([beginning, false])
    expect(meterOf('data: {"choices":[{"delta":{},"finish_reason":null}]}\n\n').hasSaidAll).toBe(false)
  })
})

test.each([
  ['event: response.failed\ndata: {"response":{"status":"failed"}}\n\n', true],
  [`data: ${events[0]}\n\ndata: {"error":{"message":"It went."}}\n\ndata: [DONE]\n\n`, true],
  ['event: error\ndata: {"type":"error"}\n\n', true],
  [stream, false],
  [`data: ${JSON.stringify({ delta: '\nevent: error\ndata: {"error":1}' })}\n\n`, false],
])('whether a stream has said that it failed is known wherever it was cut: %j', (whole, hasFailed) => {
  for (let place = 1; place < whole.length; place++)
    expect([place, meterOf(whole, [place]).hasFailed]).toEqual([place, hasFailed])
})

describe('the end of a stream', () => {
  const chunk = (meter: StreamMeter, text: string) => meter.chunk(Buffer.from(text))

  test('of chat completions is its mark', () => {
    const meter = new StreamMeter()
    expect(chunk(meter, `data: ${events[0]}\n\n`)).toBe(false)
    expect(chunk(meter, `data: ${events[1]}\n\ndata: [DONE]\n\n`)).toBe(true)
  })

  test.each(['completed', 'failed', 'incomplete'])(
    'of responses is the event %s, to its last piece',
    (name) => {
      const meter = new StreamMeter()
      expect(chunk(meter, 'event: response.created\ndata: {}\n\n')).toBe(false)
      expect(chunk(meter, `event: response.x\ndata: {}\n\nevent: response.${name}\ndata: {"response":`)).toBe(
        true,
      )
      expect(chunk(meter, '"a long one"}\n\n')).toBe(true)
    },
  )

  test('is not what a model says of it', () => {
    const words = JSON.stringify({ delta: 'event: response.completed\ndata: {}' })
    expect(chunk(new StreamMeter(), `event: response.output_text.delta\ndata: ${words}\n\n`)).toBe(false)
  })
})

describe('the last words of a stream that broke', () => {
  test.each(['', 'data: {"a":1}\n\n', 'data: {"a":1}\r\n\r\n'])(
    'after whole events, or none, there are some: %j',
    (text) => {
      const words = lastWordsOf('/chat/completions', meterOf(text), broken)
      expect(words && JSON.parse(Buffer.from(words).toString().slice(6))).toEqual({
        error: { message: 'It went.', type: 'server_error', param: null, code: 'provider_failed' },
      })
    },
  )

  test.each(['data: {"a":', 'data: {"a":1}\n', 'data: {"a":1}\n\ndata: '])(
    'in the middle of an event there are none: %j',
    (text) => {
      expect(lastWordsOf('/chat/completions', meterOf(text), broken)).toBeNull()
    },
  )

  test('those of a response have the next number', () => {
    const meter = meterOf('event: x\ndata: {"type":"x","sequence_number":41}\n\n')
    const words = String(Buffer.from(lastWordsOf('/responses', meter, broken) ?? ''))
    expect(words.startsWith('event: error\ndata: ')).toBe(true)
    expect(JSON.parse(words.slice(words.indexOf('{')))).toMatchObject({ type: 'error', sequence_number: 42 })
  })
})

test('pauses are what is longer than a second, the one that has not ended among them', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  try {
    const meter = new StreamMeter()
    const hearAfter = (ms: number) => {
      vi.advanceTimersByTime(ms)
      meter.chunk(Buffer.from('data: {}\n\n'))
    }
    hearAfter(3000)
    for (let n = 0; n < 10; n++) hearAfter(900)
    expect(meter.silentMs).toBe(3000)
    hearAfter(1500)
    expect(meter.silentMs).toBe(4500)
    vi.advanceTimersByTime(2000)
    expect(meter.silentMs).toBe(6500)
  } finally {
    vi.useRealTimers()
  }
})
