import { createHash, randomUUID } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import type { Finding, Secret } from './searcher.ts'

/** What was searched, by name: `answers`, `bytes`, `log lines`, `rows` … */
export type Counts = Record<string, number>

/** A secret that was found where it has no business. */
export type Leak = { store: string; secret: string; form: string; where: string; around: string }

/**
 * What one family of servers with the same data has to keep, and what was searched and found: files in the folder of
 * the run (`AL_CANARY`), so that a server that is killed takes nothing of it along.
 */
export class CanaryRecord {
  readonly store: string
  readonly #folder: string
  readonly #countsFile: string
  readonly #counts: Counts = {}
  #isDirty = false

  constructor(folder: string, store: string) {
    mkdirSync(folder, { recursive: true })
    this.#folder = folder
    this.store = store
    this.#countsFile = join(folder, `${store}.${process.pid}-${randomUUID().slice(0, 8)}.counts`)
  }

  /** The secrets that were learned so far, by any process. */
  readSecrets(): Secret[] {
    return readLines<Secret>(this.#file('secrets'))
  }

  keepSecret(secret: Secret): void {
    appendFileSync(this.#file('secrets'), `${JSON.stringify(secret)}\n`, { mode: 0o600 })
    this.count({ secrets: 1 })
  }

  count(more: Counts): void {
    for (const [name, number] of Object.entries(more)) this.#counts[name] = (this.#counts[name] ?? 0) + number
    this.#isDirty = true
  }

  /** Writes down what was counted since. */
  save(): void {
    if (!this.#isDirty) return
    this.#isDirty = false
    // Renamed when it is whole: the process may be killed at any moment.
    writeFileSync(`${this.#countsFile}.new`, JSON.stringify(this.#counts))
    renameSync(`${this.#countsFile}.new`, this.#countsFile)
  }

  report({ secret, form, around }: Finding, where: string): void {
    // Which one it is can be told by its kind and its fingerprint; the record of a leak is no place for it either.
    const name = `${secret.kind} ${createHash('sha256').update(secret.value).digest('hex').slice(0, 8)}`
    this.reportText({ secret: name, form, where, around })
  }

  /** Something that must fail the run, such as a search that itself failed. */
  reportText(leak: Omit<Leak, 'store'>): void {
    appendFileSync(this.#file('leaks'), `${JSON.stringify({ store: this.store, ...leak })}\n`)
  }

  readLeaks(): Leak[] {
    return readLines<Leak>(this.#file('leaks'))
  }

  #file(kind: 'secrets' | 'leaks'): string {
    return join(this.#folder, `${this.store}.${kind}`)
  }
}

/** The folder of this run's watch; undefined where nobody watches, as when figures are measured (`AL_CANARY=off`). */
export function canaryFolder(): string | undefined {
  const { AL_CANARY: folder } = process.env
  return folder && folder !== 'off' ? folder : undefined
}

/** The name of what servers with this data folder share. */
export function storeOf(dataDir: string): string {
  return createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 16)
}

/** Makes the folder of a run, open to the other accounts that some tests act as. */
export function makeCanaryFolder(folder: string): void {
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o1777)
}

function readLines<T>(file: string): T[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line))
}
