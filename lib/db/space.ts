import { randomBytes } from 'node:crypto'
import { rm, stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../errors'
import { log } from '../log'

const megabyte = 1024 * 1024
/** So much of the disk is left alone, for the log of Postgres and for the ends of what has begun. */
const reservedBytes = 64 * megabyte
/** Held by a file that is given up when others have filled the disk: Postgres ends when it cannot write its log. */
const ballastBytes = 32 * megabyte
const freshMs = 1000
const lookEveryMs = 5000

/** What is written on the way to reading, deleting, or ending what has begun: never refused for want of room. */
const spared: ReadonlySet<string> = new Set(['Session', 'AuditEvent', 'UsageEntry'])

/** Whether an operation of the typed client takes up room that could do without it. */
export function takesRoom(model: string | undefined, operation: string): boolean {
  return model !== undefined && !spared.has(model) && /^(create|update|upsert)/.test(operation)
}

/** The disk of the embedded database: looked at every few seconds, and when somebody wants to write. */
export class Disk {
  private readonly folder: string
  private readonly onRelief: () => void
  private readonly timer: NodeJS.Timeout
  private isScarce = false
  private lookedAt = Number.NEGATIVE_INFINITY
  private looking: Promise<void> | null = null

  /** `onRelief` is called when the ballast was given up, so that there is some room again. */
  constructor(folder: string, onRelief: () => void) {
    this.folder = folder
    this.onRelief = onRelief
    this.timer = setInterval(() => void this.look(), lookEveryMs).unref()
    void this.look()
  }

  /** Throws storage_full when there is no more than the reserve. */
  async requireRoom(): Promise<void> {
    if (performance.now() - this.lookedAt > freshMs) await this.look()
    if (this.isScarce) {
      throw new AppError('storage_full', 'The disk of the server is full, so this was not saved.')
    }
  }

  /** Looks no more. */
  async close(): Promise<void> {
    clearInterval(this.timer)
    await this.looking
  }

  private look(): Promise<void> {
    this.looking ??= this.measure().finally(() => {
      this.looking = null
    })
    return this.looking
  }

  private async measure(): Promise<void> {
    // What cannot be measured may be written: Postgres says so itself if it cannot be.
    const disk = await statfs(this.folder).catch(() => null)
    const freeBytes = disk ? disk.bavail * disk.bsize : Number.POSITIVE_INFINITY
    this.isScarce = freeBytes < reservedBytes
    this.lookedAt = performance.now()
    await this.trim(freeBytes).catch((err) => log().warn({ err }, 'the reserve on the disk was not kept'))
  }

  private async trim(freeBytes: number): Promise<void> {
    const ballast = join(this.folder, 'reserve')
    const isHeld = (await stat(ballast).catch(() => null))?.size === ballastBytes
    if (isHeld && freeBytes < ballastBytes) {
      await rm(ballast)
      log().error('the disk is full; the reserve of the database was given up')
      this.onRelief()
    }
    if (!isHeld && freeBytes > 2 * (reservedBytes + ballastBytes)) await writeBallast(ballast)
  }
}

/** Bytes that no file system can store in less room. */
async function writeBallast(path: string): Promise<void> {
  const block = randomBytes(megabyte)
  await writeFile(
    path,
    Array.from({ length: ballastBytes / megabyte }, () => block),
    { mode: 0o600 },
  )
}
