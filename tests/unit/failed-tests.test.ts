import { expect, test } from 'vitest'
import { failedInPlaywright, failedInVitest, tellFailures } from '../../scripts/failed-tests.mjs'

const vitestReport = {
  testResults: [
    {
      name: 'tests/unit/a.test.ts',
      status: 'failed',
      message: '',
      assertionResults: [
        { fullName: 'adds', status: 'passed', failureMessages: [] },
        {
          fullName: 'subtracts',
          status: 'failed',
          failureMessages: ['Error: 1 is not 2\n    at a.test.ts:3:1'],
        },
        { fullName: 'waits', status: 'skipped', failureMessages: null },
      ],
    },
    { name: 'tests/unit/b.test.ts', status: 'failed', message: 'No such import', assertionResults: [] },
    { name: 'tests/unit/c.test.ts', status: 'passed', message: '', assertionResults: [] },
  ],
}

const spec = (status: string, ...messages: string[]) => ({
  title: 'a page',
  file: 'keys.spec.ts',
  line: 114,
  tests: [{ status, results: messages.map((message) => ({ errors: [{ message }] })) }],
})

test('a report of Vitest tells which tests failed, and which files did as a whole', () => {
  expect(failedInVitest(vitestReport)).toEqual([
    { test: 'tests/unit/a.test.ts: subtracts', messages: ['Error: 1 is not 2\n    at a.test.ts:3:1'] },
    { test: 'tests/unit/b.test.ts', messages: ['No such import'] },
  ])
  expect(failedInVitest({})).toEqual([])
})

test('a report of Playwright tells which tests failed at any depth, which passed only when tried again, and what else did', () => {
  const report = {
    errors: [{ message: 'the set-up failed' }],
    suites: [
      {
        specs: [spec('expected'), spec('unexpected', 'no table', 'no row')],
        suites: [{ specs: [spec('flaky', 'too late')] }],
      },
    ],
  }
  expect(failedInPlaywright(report)).toEqual([
    { test: 'outside of any test', messages: ['the set-up failed'] },
    { test: 'keys.spec.ts:114: a page', messages: ['no table', 'no row'] },
    { test: 'keys.spec.ts:114: a page', messages: ['too late'] },
  ])
  expect(failedInPlaywright({})).toEqual([])
})

test('what is told has no colours, no stack and no empty lines, and is bounded in every way', () => {
  expect(
    tellFailures([
      {
        test: 'one',
        messages: ['\u001b[31mError\u001b[39m: no\n\n  + 1\n    at file:1:2\n    at b (/x/node_modules/y)'],
      },
    ]),
  ).toEqual(['  one', '    Error: no', '    + 1'])
  const long = { test: 'long', messages: ['x'.repeat(1000), 'line\n'.repeat(100)] }
  const told = tellFailures(Array.from({ length: 12 }, () => long))
  expect(told).toHaveLength(10 * 9 + 1)
  expect(told[1]).toBe(`    ${'x'.repeat(160)}`)
  expect(told.at(-1)).toBe('  and 2 more')
})
