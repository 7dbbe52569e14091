import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AuditEntry } from '@/lib/contracts/audit'
import { csvHeadings, toCsv } from '../../lib/audit/csv'
import { guardCell } from '../../lib/csv'

const entry: AuditEntry = {
  id: '018f0000-0000-7000-8000-000000000001',
  at: '2026-11-21T12:00:00.000Z',
  action: 'credential.create',
  actor: { id: '018f0000-0000-7000-8000-000000000002', email: 'ada@example.com' },
  key_id: null,
  target: 'target',
  target_name: 'Team ··9e77',
  ip: '192.0.2.1',
  request_id: 'request-1',
  detail: { scope: 'user' },
}

const read = (text: string): string[][] => parse(text, { relax_column_count: false })
const unguard = (cell = '') => cell.replace(/^'/, '')

/** What spreadsheets take for the beginning of a formula, whatever they drop before it. */
function runs(cell: string): boolean {
  const bare = cell.normalize('NFKC').replace(/^[\s\p{C}\p{Z}"]+/u, '')
  return /^[=+\-@\t\r\n]/.test(bare) || /^[=+\-@\t\r\n]/.test(cell)
}

const nasty = fc.string({
  unit: fc.oneof(
    fc.constantFrom('=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '|', '%', ';', ',', '"', "'", '\\'),
    fc.constantFrom('\t', '\r', '\n', '\r\n', ' ', '\u00a0', '\ufeff', '\u200b', '\u0007', '\u2028'),
    fc.constantFrom('SUM(1)', "cmd|' /C calc'!A0", 'HYPERLINK("http://x")', 'é', '漢', '𝟙', '👩‍🚀', '\u202e'),
    fc.string({ unit: 'binary', maxLength: 3 }),
  ),
  maxLength: 12,
})

test('the headings name the columns', () => {
  expect(read(csvHeadings())).toEqual([
    'id,time,action,actor_email,actor_id,key_id,target,ip,request_id,detail'.split(','),
  ])
})

test('a record is one line, ended as RFC 4180 says, in the order of the headings', () => {
  expect(toCsv([entry])).toBe(
    '"018f0000-0000-7000-8000-000000000001","2026-11-21T12:00:00.000Z","credential.create","ada@example.com",' +
      '"018f0000-0000-7000-8000-000000000002",,"target","192.0.2.1","request-1",' +
      '"{""scope"":""user""}"\r\n',
  )
  expect(toCsv([])).toBe('')
})

test('what was stored is read back, whatever it was, less one apostrophe', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ text: nasty, label: nasty }), { maxLength: 5 }), (given) => {
      const entries = given.map(({ text, label }) => ({
        ...entry,
        actor: { id: entry.id, email: text },
        target: text,
        ip: text,
        request_id: label,
        detail: { label, [text]: text },
      }))
      const lines = read(csvHeadings() + toCsv(entries)).slice(1)
      expect(lines).toHaveLength(given.length)
      for (const [index, { text, label }] of given.entries()) {
        const cells = lines[index]?.map(unguard) ?? []
        expect(cells).toHaveLength(10)
        expect([cells[3], cells[6], cells[7], cells[8]]).toEqual([text, text, text, label])
        expect(JSON.parse(cells[9] ?? '')).toEqual({ label, [text]: text })
      }
    }),
    { numRuns: 3000 },
  )
})

test('no cell begins a formula', () => {
  fc.assert(
    fc.property(nasty, nasty, (text, label) => {
      const line = toCsv([{ ...entry, target: text, request_id: label, detail: { label, text } }])
      for (const cell of read(line)[0] ?? []) expect(runs(cell), cell).toBe(false)
    }),
    { numRuns: 3000 },
  )
})

test('what people have named brings no semicolon along, which would end a cell in much of Europe', () => {
  fc.assert(
    fc.property(nasty, (label) => {
      expect(toCsv([{ ...entry, target_name: label, detail: { label, [label]: [label] } }])).not.toContain(
        ';',
      )
    }),
  )
})

test.each([
  '=1+1',
  '+1',
  '-1',
  '@SUM(1)',
  '\t=1',
  '\r=1',
  '\n=1',
  '\tx',
  ' =1',
  '\u00a0=1',
  '\ufeff=1',
  '"=1"',
  '" =1',
  "'=1",
  '＝1',
  '＋1',
  '－1',
  '＠x',
  '﹦1',
  '﹣1',
  '−1',
  '%x',
  '|x',
])('%j is made harmless by an apostrophe', (cell) => {
  expect(guardCell(cell)).toBe(`'${cell}`)
})

test.each(['', 'Team key', '1-1', 'a=b', 'ada+x@example.com', '192.0.2.1', '{"a":"=1"}', '2026-11-21'])(
  '%j stays as it is',
  (cell) => {
    expect(guardCell(cell)).toBe(cell)
  },
)
