import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { AppError } from '../errors'
import { remember } from '../remember'
import type { HashJob } from './hasher'

/** bcrypt's cost: 2^10 rounds, about 60 ms of one core; the least that OWASP asks for. */
const cost = 10
const idleMs = 30_000
const maxWaiting = 500

/**
 * bcrypt reads 72 bytes and stops at a zero byte; the digest lets every byte of a longer password count,
 * and its base64 form has 64 characters and no zero.
 */
function digest(password: string): string {
  return createHash('sha384').update(password.normalize('NFKC')).digest('base64')
}

/** The hash to store for a password. Off the main thread. */
export async function hashPassword(password: string): Promise<string> {
  return (await hashers().run({ task: 'hash', digest: digest(password), cost })) as string
}

/** A hash of nothing that anyone knows, so that an unknown account takes as long as a wrong password. */
const decoy = () => remember('auth.decoy', () => hashPassword(crypto.randomUUID()))

/** Whether the password has this hash; null stands for an unknown account and takes as long. Off the main thread. */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
  const matches = await hashers().run({
    task: 'verify',
    digest: digest(password),
    hash: hash ?? (await decoy()),
  })
  return hash !== null && matches === true
}

/** Makes the decoy before the first sign-in needs it. */
export async function warmPasswords(): Promise<void> {
  await decoy()
}

type Waiting = { job: HashJob; resolve: (answer: unknown) => void; reject: (error: unknown) => void }

/** A few threads that hash, started when needed and ended when idle; one core stays free for streams. */
class HasherPool {
  private readonly size = Math.max(1, Math.min(4, availableParallelism() - 1))
  private readonly waiting: Waiting[] = []
  /** Threads that have nothing to do, each with the timer that will end it. */
  private readonly idle = new Map<Worker, NodeJS.Timeout>()
  private readonly busy = new Map<Worker, Waiting>()

  run(job: HashJob): Promise<unknown> {
    if (this.waiting.length >= maxWaiting) {
      throw new AppError(
        'unavailable',
        'Too many people are signing in at this moment. Try again in a few seconds.',
        { retryAfterSeconds: 5 },
      )
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ job, resolve, reject })
      this.next()
    })
  }

  private next(): void {
    while (this.waiting.length > 0) {
      const worker = this.findWorker()
      const first = worker && this.waiting.shift()
      if (!first) return
      this.busy.set(worker, first)
      worker.postMessage(first.job)
    }
  }

  private findWorker(): Worker | null {
    const [rested] = this.idle.keys()
    if (rested) {
      clearTimeout(this.idle.get(rested))
      this.idle.delete(rested)
      return rested
    }
    return this.busy.size < this.size ? this.start() : null
  }

  private start(): Worker {
    const worker = new Worker(new URL('./hasher.ts', import.meta.url))
    worker.unref()
    worker.on('message', (answer) => this.done(worker, answer))
    worker.on('error', (error) => this.lose(worker, error))
    worker.on('exit', () => this.lose(worker, null))
    return worker
  }

  private done(worker: Worker, answer: unknown): void {
    this.busy.get(worker)?.resolve(answer)
    this.busy.delete(worker)
    this.idle.set(worker, setTimeout(() => this.retire(worker), idleMs).unref())
    this.next()
  }

  /** Out of the pool first, so that no job is given to a thread that is ending. */
  private retire(worker: Worker): void {
    this.idle.delete(worker)
    void worker.terminate()
  }

  private lose(worker: Worker, cause: unknown): void {
    clearTimeout(this.idle.get(worker))
    this.idle.delete(worker)
    this.busy.get(worker)?.reject(new AppError('internal', 'The password could not be checked.', { cause }))
    this.busy.delete(worker)
    this.next()
  }
}

const hashers = () => remember('auth.hashers', () => new HasherPool())
