import { constants } from 'node:fs'
import { access, type FileHandle, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../errors'

/** One call of the system writes at most so much, unless a single line is longer. */
const chunkBytes = 64 * 1024
const maxWaiting = 20_000
/** A writer that is still at it is waited for; what lies still for so long was torn. */
const tornAfterMs = 50
const maxLooks = 20
const newline = 0x0a
const readOnly = constants.O_RDONLY | constants.O_NOFOLLOW

type Waiting = { line: string; until: number; done: () => void; failed: (error: AppError) => void }

/**
 * The files of the session log, one for each local day. A line that was appended is on the disk; lines that come while
 * others are being written share one call and one `fdatasync`. Files are opened for each batch, so that one that was
 * moved away or deleted takes no line with it.
 */
export class LogFile {
  readonly folder: string
  private readonly waiting = new Map<string, Waiting[]>()
  private count = 0
  private running: Promise<void> | null = null
  /** The day whose file this process knows to be kept by its folder. */
  private keptDay = ''

  constructor(folder: string) {
    this.folder = folder
  }

  /** Makes the folder, readable by this user alone. Throws unavailable where nothing can be written there. */
  async prepare(): Promise<void> {
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 })
      await access(this.folder, constants.W_OK | constants.X_OK)
    } catch (error) {
      const said = `The folder of the session log, SESSION_LOG_DIR, cannot be written to: ${codeOf(error)} ${this.folder}`
      throw new AppError('unavailable', said, { cause: error })
    }
  }

  /**
   * Adds a line to the day's file and returns once it is on the disk. It is not begun any more after `withinMs`.
   * Throws storage_full, unavailable; then the line must not be taken for written.
   */
  append(day: string, line: string, withinMs: number): Promise<void> {
    if (this.count >= maxWaiting) return Promise.reject(tooSlow())
    const written = new Promise<void>((done, failed) => {
      const lines = this.waiting.get(day) ?? []
      lines.push({ line, until: performance.now() + withinMs, done, failed })
      this.waiting.set(day, lines)
      this.count += 1
    })
    this.running ??= this.run()
    return written
  }

  /** Which of these lines stand whole in the day's file; what is found is on the disk. */
  async find(day: string, lines: ReadonlySet<string>): Promise<Set<string>> {
    const found = new Set<string>()
    const file = await open(this.pathOf(day), constants.O_RDWR).catch(nothingThere)
    if (!file) return found
    try {
      await file.datasync()
      for await (const line of file.readLines({ start: 0, autoClose: false }))
        if (lines.has(line)) found.add(line)
      return found
    } finally {
      await file.close()
    }
  }

  /** The text of the day's file as long as it is now, in pieces; null where there is none. */
  async read(day: string): Promise<AsyncGenerator<string> | null> {
    const file = await open(this.pathOf(day), readOnly).catch(nothingThere)
    if (!file) return null
    const { size } = await file.stat()
    await file.close()
    return this.readPieces(day, size)
  }

  /** Opens the file only when somebody reads: a generator that is never begun closes nothing. */
  private async *readPieces(day: string, size: number): AsyncGenerator<string> {
    if (size === 0) return
    const file = await open(this.pathOf(day), readOnly)
    yield* file.createReadStream({ start: 0, end: size - 1, encoding: 'utf8' })
  }

  /** Returns once nothing is being written. */
  async settle(): Promise<void> {
    await this.running
  }

  private pathOf(day: string): string {
    return join(this.folder, `session_${day}.log`)
  }

  private async run(): Promise<void> {
    // Whoever comes within this turn of the loop comes along.
    await new Promise((turn) => setImmediate(turn))
    for (const [day, lines] of this.waiting) {
      this.waiting.delete(day)
      this.count -= lines.length
      await this.writeBatch(day, lines)
    }
    // At once, with nothing in between: who comes now begins the next run.
    this.running = null
  }

  private async writeBatch(day: string, all: Waiting[]): Promise<void> {
    const now = performance.now()
    for (const late of all.filter(({ until }) => until < now)) late.failed(tooSlow())
    const batch = all.filter(({ until }) => until >= now)
    if (batch.length === 0) return
    let kept = 0
    try {
      const { written, fault } = await this.write(day, batch)
      kept = written
      for (const { done } of batch.slice(0, written)) done()
      if (fault) throw fault
    } catch (error) {
      for (const { failed } of batch.slice(kept)) failed(asFault(error))
    }
  }

  private async write(day: string, batch: Waiting[]): Promise<Outcome> {
    const file = await this.open(day)
    try {
      const wasEmpty = (await file.stat()).size === 0
      const outcome = await writeLines(
        file,
        batch.map(({ line }) => line),
      )
      if (outcome.written > 0) await this.sync(file, wasEmpty ? null : day)
      return outcome
    } finally {
      await file.close()
    }
  }

  private async open(day: string): Promise<FileHandle> {
    const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR } = constants
    const flags = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW
    try {
      return await open(this.pathOf(day), flags, 0o600)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      // Somebody took the folder away while the server runs.
      await mkdir(this.folder, { recursive: true, mode: 0o700 })
      return await open(this.pathOf(day), flags, 0o600)
    }
  }

  /** A new file is lost with the power unless its folder is on the disk, too; null: it is new. */
  private async sync(file: FileHandle, day: string | null): Promise<void> {
    await file.datasync()
    if (day !== null && day === this.keptDay) return
    const folder = await open(this.folder, constants.O_RDONLY)
    await folder.sync().finally(() => folder.close())
    this.keptDay = day ?? ''
  }
}

/** How many of the lines are written, and what kept the others from it. */
type Outcome = { written: number; fault: unknown }

async function writeLines(file: FileHandle, lines: string[]): Promise<Outcome> {
  let written = 0
  try {
    let isTorn = await endsTorn(file)
    while (written < lines.length) {
      const bytes = Buffer.from(`${isTorn ? '\n' : ''}${takeChunk(lines, written)}`)
      const { bytesWritten } = await file.write(bytes)
      if (bytesWritten === 0) throw new AppError('storage_full', full)
      // A full disk takes a part: the lines that are whole count, the torn one is closed and begun again.
      const part = bytes.subarray(0, bytesWritten)
      written += countLines(part) - (isTorn ? 1 : 0)
      isTorn = part.at(-1) !== newline
    }
    return { written, fault: null }
  } catch (fault) {
    return { written, fault }
  }
}

/** The next lines, as many as one call writes. */
function takeChunk(lines: string[], from: number): string {
  let chunk = ''
  for (let at = from; at < lines.length; at++) {
    const line = `${lines[at]}\n`
    if (chunk !== '' && Buffer.byteLength(chunk) + Buffer.byteLength(line) > chunkBytes) break
    chunk += line
  }
  return chunk
}

function countLines(bytes: Uint8Array): number {
  let count = 0
  for (const byte of bytes) if (byte === newline) count++
  return count
}

/** Whether a crash, or a full disk, left a line without its end. Another process may just be writing one. */
async function endsTorn(file: FileHandle): Promise<boolean> {
  let sizeBefore = -1
  for (let look = 0; look < maxLooks; look++) {
    const { size } = await file.stat()
    if (size === 0) return false
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
    if (buffer[0] === newline) return false
    if (size === sizeBefore) return true
    sizeBefore = size
    await sleep(tornAfterMs)
  }
  return true
}

const full = 'The disk of the server is full, so this was not saved.'

function tooSlow(): AppError {
  return new AppError('unavailable', 'The session log is not written fast enough. Try again in a moment.', {
    retryAfterSeconds: 2,
  })
}

function asFault(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (/^(ENOSPC|EDQUOT|EFBIG)$/.test(codeOf(error)))
    return new AppError('storage_full', full, { cause: error })
  return new AppError('unavailable', `The session log cannot be written to: ${codeOf(error)}.`, {
    cause: error,
  })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}

function nothingThere(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null
  throw asFault(error)
}
