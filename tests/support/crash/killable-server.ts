import type { ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Environment, spawnServer } from '../server'

/** A server at one address that can be killed at any moment, before it is ready too, and started again. */
export class KillableServer {
  readonly url: string
  private readonly env: Environment
  private child: ChildProcess | null = null
  private exited: Promise<unknown> = Promise.resolve()
  private said = ''
  /** All that was logged as an error, each sort once. */
  readonly errors = new Map<string, number>()

  constructor(port: number, env: Environment) {
    this.url = `http://127.0.0.1:${port}`
    this.env = { ...env, PORT: String(port) }
  }

  /** Starts it, and does not wait. */
  spawn(): void {
    const child = spawnServer(this.env)
    this.child = child
    this.said = ''
    this.exited = new Promise((done) => child.once('close', done))
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.said += chunk
      })
  }

  /** Waits until it serves. Throws what it said if it ends instead. */
  async untilReady(): Promise<void> {
    while (!this.said.includes('AL-Chat is ready at')) {
      if (this.child?.exitCode !== null) throw new Error(`The server ended by itself:\n${this.said}`)
      await sleep(5)
    }
  }

  /** Ends it as a crash does, and these processes at the same moment. */
  async kill(others: number[] = []): Promise<void> {
    if (this.child?.exitCode !== null) throw new Error(`The server had ended by itself:\n${this.said}`)
    for (const pid of others) killIfThere(pid)
    this.child.kill('SIGKILL')
    await this.exited
    this.noteErrors()
  }

  /** Tells it to stop, and kills it after so many milliseconds if it has not ended by then. */
  async killStopping(afterMs: number): Promise<void> {
    this.child?.kill('SIGTERM')
    await Promise.race([this.exited, sleep(afterMs)])
    this.child?.kill('SIGKILL')
    await this.exited
    this.noteErrors()
  }

  /** Ends it as SIGTERM does, however it stands with it. */
  async stop(): Promise<void> {
    this.child?.kill('SIGTERM')
    await this.exited
    this.noteErrors()
  }

  private noteErrors(): void {
    for (const line of this.said.split('\n')) {
      const message = /"level":"(?:error|fatal)".*"msg":"([^"]*)"/.exec(line)?.[1]
      if (message) this.errors.set(message, (this.errors.get(message) ?? 0) + 1)
    }
  }
}

/** Ends a process as a crash does, if there still is one. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // One of a family that ended with its parent.
  }
}

/** A port that nobody listens on just now. */
export function findFreePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer().once('error', fail)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => done(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
