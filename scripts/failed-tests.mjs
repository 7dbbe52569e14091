// What failed, told once more in a few lines at the end of a run: logs that keep only their end keep this.

const MAX_TOLD = 10
const MAX_LINES = 8
const MAX_WIDTH = 160

/**
 * @typedef {{ test: string, messages: string[] }} Failure
 * @typedef {{
 *   testResults?: {
 *     name: string, status: string, message?: string,
 *     assertionResults: { fullName: string, status: string, failureMessages?: string[] | null }[],
 *   }[],
 * }} VitestReport
 * @typedef {{
 *   title: string, file: string, line: number,
 *   tests: { status: string, results: { errors: { message?: string }[] }[] }[],
 * }} Spec
 * @typedef {{ specs?: Spec[], suites?: Suite[] }} Suite
 * @typedef {Suite & { errors?: { message?: string }[] }} PlaywrightReport
 */

/**
 * The failed tests of a report by Vitest's reporter `json`; a file that failed as a whole counts as one.
 * @param {VitestReport} report
 * @returns {Failure[]}
 */
export function failedInVitest({ testResults = [] }) {
  return testResults.flatMap(({ name, status, message = '', assertionResults }) => {
    const failed = assertionResults.filter((result) => result.status === 'failed')
    if (failed.length === 0 && status === 'failed') return [{ test: name, messages: [message] }]
    return failed.map(({ fullName, failureMessages }) => ({
      test: `${name}: ${fullName}`,
      messages: failureMessages ?? [],
    }))
  })
}

/**
 * The failed tests of a report by Playwright's reporter `json`, and what failed outside of any test.
 * @param {PlaywrightReport} report
 * @returns {Failure[]}
 */
export function failedInPlaywright(report) {
  const outside = (report.errors ?? []).map(({ message = '' }) => ({
    test: 'outside of any test',
    messages: [message],
  }))
  return [...outside, ...failedInSuite(report)]
}

/**
 * @param {Suite} suite
 * @returns {Failure[]}
 */
function failedInSuite({ specs = [], suites = [] }) {
  const failed = specs.flatMap(({ title, file, line, tests }) =>
    tests
      .filter(({ status }) => status === 'unexpected' || status === 'flaky')
      .map(({ results }) => ({
        test: `${file}:${line}: ${title}`,
        messages: results.flatMap(({ errors }) => errors.map(({ message = '' }) => message)),
      })),
  )
  return [...failed, ...suites.flatMap(failedInSuite)]
}

/**
 * Each failure with the first lines of what it said: 10 failures, 8 lines of 160 characters each at most.
 * @param {Failure[]} failures
 * @returns {string[]}
 */
export function tellFailures(failures) {
  const told = failures
    .slice(0, MAX_TOLD)
    .flatMap(({ test, messages }) => [`  ${test}`, ...tellMessages(messages)])
  const rest = failures.length - MAX_TOLD
  return rest > 0 ? [...told, `  and ${rest} more`] : told
}

/** @param {string[]} messages */
function tellMessages(messages) {
  return messages
    .flatMap((message) => stripColors(message).split('\n'))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^at |[/\\]node_modules[/\\]/.test(line))
    .slice(0, MAX_LINES)
    .map((line) => `    ${line.slice(0, MAX_WIDTH)}`)
}

/** @param {string} text */
function stripColors(text) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of a terminal begin with it.
  return text.replace(/\u001b\[[0-9;]*m/g, '')
}
