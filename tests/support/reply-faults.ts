import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, type ErrorCode } from '../../lib/errors'
import type { ReplyLog } from '../../lib/replies/log'

export type LogCall = keyof ReplyLog

/**
 * What befalls a call: it never reaches the log; it does, but its answer is lost; it fails for its caller and reaches
 * the log only later; it, or its answer, is slow.
 */
export const faultKinds = ['refused', 'answer lost', 'lands later', 'slow', 'slow answer'] as const
export type FaultKind = (typeof faultKinds)[number]

/** The next `times` calls of this name, or of any. */
export type Fault = { kind: FaultKind; call: LogCall | 'any'; times: number; ms: number; code: ErrorCode }

/** The way of one node to the log: faults, outages, stalls, and its death. */
export class Weather {
  private readonly faults: Fault[] = []
  private outageUntil = 0
  private stallUntil = 0
  private isDead = false
  private landsAfterDeath = false
  /** Calls that were given up by their caller and may still land. */
  readonly stray: Promise<unknown>[] = []
  private readonly tell: (what: string) => void

  constructor(tell: (what: string) => void) {
    this.tell = tell
  }

  add(fault: Fault): void {
    this.faults.push({ ...fault })
  }

  /** Everything is refused for so long. */
  breakFor(ms: number): void {
    this.outageUntil = performance.now() + ms
  }

  /** Calls are held back for so long, and go on then. */
  stallFor(ms: number): void {
    this.stallUntil = performance.now() + ms
  }

  clear(): void {
    this.faults.length = 0
    this.outageUntil = 0
    this.stallUntil = 0
  }

  /** From now on every call fails; what is on its way may still land. */
  die(lands: boolean): void {
    this.isDead = true
    this.landsAfterDeath = lands
  }

  /** Lets one call through, as the weather is. */
  async pass<T>(call: LogCall, run: () => Promise<T>): Promise<T> {
    if (this.isDead) throw fault('unavailable')
    while (performance.now() < this.stallUntil) await sleep(3)
    if (performance.now() < this.outageUntil) throw fault('unavailable')
    const met = this.meet(call)
    if (met) this.tell(`${call} ${met.kind}, ${met.ms} ms, ${met.code}`)
    if (met?.kind === 'refused') throw fault(met.code)
    if (met?.kind === 'lands later') {
      this.stray.push(sleep(met.ms).then(() => this.land(run)))
      throw fault(met.code)
    }
    if (met?.kind === 'slow') await sleep(met.ms)
    const result = await this.land(run)
    if (met?.kind === 'slow answer') await sleep(met.ms)
    if (met?.kind === 'answer lost') throw fault(met.code)
    if (this.isDead || result === null) throw fault('unavailable')
    return result.value
  }

  private async land<T>(run: () => Promise<T>): Promise<{ value: T } | null> {
    if (this.isDead && !this.landsAfterDeath) return null
    const value = run()
    this.stray.push(value.catch(() => undefined))
    return { value: await value }
  }

  private meet(call: LogCall): Fault | null {
    const met = this.faults.find((one) => one.call === call || one.call === 'any')
    if (!met) return null
    met.times -= 1
    if (met.times <= 0) this.faults.splice(this.faults.indexOf(met), 1)
    return met
  }
}

function fault(code: ErrorCode): AppError {
  return new AppError(code, 'The test said so.')
}

/** The log as one node has it: every call goes through its weather. */
export function makeFaultyLog(log: ReplyLog, weather: Weather): ReplyLog {
  const faulty: Record<string, unknown> = {}
  for (const call of Object.keys(log) as LogCall[]) {
    const run = log[call] as (...args: unknown[]) => Promise<unknown>
    faulty[call] = (...args: unknown[]) => weather.pass(call, () => run(...args))
  }
  return faulty as ReplyLog
}
