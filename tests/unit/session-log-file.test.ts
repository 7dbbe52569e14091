import { spawn } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { LogFile } from '../../lib/sessions/log-file'
import { makeOwnFolder } from '../support/own-folder'
import { mountSmallDisk } from '../support/small-disk'

const folder = makeOwnFolder('session-log')
let place = 0
const newPlace = () => join(folder.path, String(++place), 'SessionLog')
const day = '2026-11-21'
const patienceMs = 60_000

afterAll(() => folder.remove())
afterEach(() => rmSync(join(folder.path, String(place)), { recursive: true, force: true }))

async function openLog(path = newPlace()): Promise<LogFile> {
  const log = new LogFile(path)
  await log.prepare()
  return log
}

const fileOf = (log: LogFile, name = day) => join(log.folder, `session_${name}.log`)
const linesOf = (log: LogFile, name = day) => readFileSync(fileOf(log, name), 'utf8').split('\n').slice(0, -1)
const entry = (n: number, text = '') => JSON.stringify({ n, text })

test('lines that come at once are all there, each once and whole, in the order in which they came', async () => {
  const log = await openLog()
  const lines = Array.from({ length: 500 }, (_, n) => entry(n, 'x'.repeat(n)))
  await Promise.all(lines.map((line) => log.append(day, line, patienceMs)))
  expect(linesOf(log)).toEqual(lines)
})

test('folder and files are for this user alone', async () => {
  const log = await openLog()
  await log.append(day, entry(1), patienceMs)
  expect(statSync(fileOf(log)).mode & 0o777).toBe(0o600)
  expect(statSync(log.folder).mode & 0o777).toBe(0o700)
})

test('each day has its file, also where lines of two days come at once', async () => {
  const log = await openLog()
  const days = ['2026-11-21', '2026-11-22']
  await Promise.all(
    Array.from({ length: 20 }, (_, n) => log.append(days[n % 2] ?? day, entry(n), patienceMs)),
  )
  for (const [index, name] of days.entries())
    expect(linesOf(log, name)).toEqual(Array.from({ length: 10 }, (_, n) => entry(2 * n + index)))
})

test('a line that a crash tore is closed before the next one, and no line is lost to it', async () => {
  const log = await openLog()
  await log.append(day, entry(1), patienceMs)
  appendFileSync(fileOf(log), '{"n":2,"te')
  await Promise.all([log.append(day, entry(3), patienceMs), log.append(day, entry(4), patienceMs)])
  expect(linesOf(log)).toEqual([entry(1), '{"n":2,"te', entry(3), entry(4)])
})

test('a file or a folder that was taken away takes no line with it', async () => {
  const log = await openLog()
  await log.append(day, entry(1), patienceMs)
  renameSync(fileOf(log), `${fileOf(log)}.1`)
  await log.append(day, entry(2), patienceMs)
  expect(linesOf(log)).toEqual([entry(2)])
  rmSync(log.folder, { recursive: true })
  await log.append(day, entry(3), patienceMs)
  expect(linesOf(log)).toEqual([entry(3)])
})

test('what stands under the file’s name and is none is not written to', async () => {
  const log = await openLog()
  const elsewhere = join(log.folder, 'elsewhere')
  writeFileSync(elsewhere, '')
  symlinkSync(elsewhere, fileOf(log))
  await expect(log.append(day, entry(1), patienceMs)).rejects.toMatchObject({ code: 'unavailable' })
  expect(readFileSync(elsewhere, 'utf8')).toBe('')
})

test('a folder that cannot be made is said, with its name', async () => {
  mkdirSync(join(folder.path, String(place + 1)), { recursive: true })
  const path = newPlace()
  writeFileSync(path, 'a file')
  await expect(openLog(path)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(path),
  })
})

test('a line whose time is over is not begun', async () => {
  const log = await openLog()
  const late = log.append(day, entry(1), -1)
  const inTime = log.append(day, entry(2), patienceMs)
  await expect(late).rejects.toMatchObject({ code: 'unavailable' })
  await inTime
  expect(linesOf(log)).toEqual([entry(2)])
})

test('whole lines are found, parts and others are not', async () => {
  const log = await openLog()
  await log.append(day, entry(1), patienceMs)
  appendFileSync(fileOf(log), '{"n":2,"te')
  const wanted = new Set([entry(1), entry(2), '{"n":2', entry(3)])
  expect([...(await log.find(day, wanted))]).toEqual([entry(1)])
  expect((await log.find('2026-01-01', wanted)).size).toBe(0)
})

test('while the disk is full no line is acknowledged; those that were are whole, and later ones follow', async () => {
  const root = newPlace()
  mkdirSync(join(root, '..'), { recursive: true })
  const disk = mountSmallDisk(root, 1)
  // Where this user may not mount one, there is none to fill.
  if (!disk) return expect(existsSync(root)).toBe(true)
  try {
    const log = await openLog(join(disk.path, 'SessionLog'))
    await log.append(day, entry(0), patienceMs)
    const kept = [entry(0)]
    const refused: string[] = []
    // Lines of odd lengths until there is no room: the last write takes but a part.
    for (let n = 1; refused.length < 20; n++) {
      const lines = Array.from({ length: 7 }, (_, part) => entry(n * 10 + part, 'x'.repeat(3001)))
      await Promise.all(
        lines.map((line) =>
          log.append(day, line, patienceMs).then(
            () => kept.push(line),
            (error: { code: string }) => {
              expect(error.code).toBe('storage_full')
              refused.push(line)
            },
          ),
        ),
      )
    }
    const whole = linesOf(log).filter((line) => isJson(line))
    expect(whole).toEqual(kept)
    disk.empty()
    rmSync(join(disk.path, 'filler'), { force: true })
    const other = await openLog(join(disk.path, 'Other'))
    await expect(other.append(day, entry(-1), patienceMs)).rejects.toMatchObject({ code: 'storage_full' })
    renameSync(fileOf(log), join(disk.path, 'moved'))
    writeFileSync(join(disk.path, 'moved'), '')
    await log.append(day, entry(-2), patienceMs)
    expect(linesOf(log)).toEqual([entry(-2)])
  } finally {
    disk.remove()
  }
})

test('two processes and this one write one file, and no line is torn, lost or doubled', async () => {
  const log = await openLog()
  const each = 300
  const others = [1, 2].map((writer) => writeElsewhere(log.folder, writer * 10_000, each))
  const own = Array.from({ length: each }, (_, n) => log.append(day, entry(n, 'o'.repeat(5000)), patienceMs))
  await Promise.all([...own, ...others])
  const numbers = linesOf(log).map((line) => Number(JSON.parse(line).n))
  const wanted = [0, 10_000, 20_000].flatMap((from) => Array.from({ length: each }, (_, n) => from + n))
  expect(numbers.sort((one, other) => one - other)).toEqual(wanted)
})

function isJson(line: string): boolean {
  try {
    return typeof JSON.parse(line) === 'object'
  } catch {
    return false
  }
}

/** Another process that appends lines as the server does, a few at a time. */
function writeElsewhere(path: string, from: number, count: number): Promise<void> {
  const script = join(import.meta.dirname, '../support/session-log-cli.ts')
  const loader = join(import.meta.dirname, '../../scripts/typescript.mjs')
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--import', loader, script, path, String(from), String(count)],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  )
  return new Promise((done, failed) => {
    child.once('error', failed)
    child.once('close', (code) => (code === 0 ? done() : failed(new Error(`ended with ${code}`))))
  })
}
