import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readSessionName, sessionName } from '../../lib/sessions/clock'
import { formatLine } from '../../lib/sessions/line'

const at = new Date('2026-11-21T10:00:00.123Z')
const sessionId = 'session_20261121_100000'

/** What ends a line for one reader or another, hides text, or turns it round. */
const traps = [
  '\n',
  '\r\n',
  '\u0000',
  '\u001b[2J',
  '\u007f',
  '\u0085',
  '\u009b',
  '\u200b',
  '\u202e',
  '\u2028',
  '\u2029',
  '\ufeff',
  '\ud800',
  '\u{e0041}',
  '"}\n{"event":"session_stop"}',
  '\\n',
  '\\"',
]
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...traps), fc.string({ unit: 'binary' }), fc.string()), { maxLength: 8 })
  .map((parts) => parts.join(''))

const said = fc.dictionary(hostile, fc.oneof(hostile, fc.integer(), fc.boolean(), fc.array(hostile)), {
  maxKeys: 5,
})

test('whatever a client says stays in one line, and is read back as it was said', () => {
  fc.assert(
    fc.property(hostile, said, (username, metrics) => {
      const line = formatLine({ event: 'metric', sessionName: sessionId, at, username, metrics })
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      // For the strictest of readers: no end of a line, in anybody's sense.
      expect(line.split(/[\p{Cc}\p{Zl}\p{Zp}]/u)).toHaveLength(1)
      expect(JSON.parse(line)).toEqual(
        JSON.parse(
          JSON.stringify({
            event: 'metric',
            session_id: sessionId,
            timestamp: at.toISOString(),
            date: '2026-11-21',
            username,
            metrics,
          }),
        ),
      )
    }),
    { numRuns: 2000 },
  )
})

test('names and words of other scripts stay readable', () => {
  const line = formatLine({
    event: 'session_start',
    sessionName: sessionId,
    at,
    username: 'Zoë Müller 李雷 🙂',
  })
  expect(line).toContain('"username":"Zoë Müller 李雷 🙂"')
})

test('a line says what the contract lists, in its order, and leaves out what is not there', () => {
  const stop = { durationSeconds: 12.5, metrics: { messages: 2 } }
  const line = formatLine({ event: 'session_stop', sessionName: sessionId, at, username: 'ada', ...stop })
  expect(line).toBe(
    `{"event":"session_stop","session_id":"${sessionId}","timestamp":"2026-11-21T10:00:00.123Z","date":"2026-11-21","username":"ada","duration_seconds":12.5,"metrics":{"messages":2}}`,
  )
  const start = formatLine({ event: 'session_start', sessionName: sessionId, at, username: 'ada' })
  expect(Object.keys(JSON.parse(start))).toEqual(['event', 'session_id', 'timestamp', 'date', 'username'])
})

test('a session’s name says its second and its place in it, and nothing else is one', () => {
  const moment = '20261121_100000'
  expect(sessionName({ moment, ordinal: 1 })).toBe('session_20261121_100000')
  expect(sessionName({ moment, ordinal: 2 })).toBe('session_20261121_100000_2')
  for (const ordinal of [1, 2, 9, 10, 123_456])
    expect(readSessionName(sessionName({ moment, ordinal }))).toEqual({ moment, ordinal })
  for (const none of ['', '_0', '_1', '_02', '_1234567', '_x', ' ', '\n']
    .map((end) => `${sessionId}${end}`)
    .slice(1))
    expect(readSessionName(none), none).toBeNull()
  expect(readSessionName('session_2026112_100000')).toBeNull()
  expect(readSessionName(`x${sessionId}`)).toBeNull()
})
