import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Actor } from '../../lib/auth'
import type { Reservation, UsageRecord, Wish } from '../../lib/usage'

/** What a server is asked to do. */
export type NodeCall =
  | { do: 'reserve'; actor: Actor; wish: Wish }
  | { do: 'release'; reservation: Pick<Reservation, 'id'> }
  | { do: 'settle'; use: UsageRecord }
  | { do: 'sweep'; all: boolean }
  /** Says no more that these calls go on. */
  | { do: 'forget'; ids: string[] }
export type NodeSaid = { id: number; value?: unknown; code?: string; message?: string }

/** A server in a process of its own. */
export type BudgetNode = {
  /** Rejects with the code of its error. */
  ask: <T>(call: NodeCall) => Promise<T>
  /** As a crash ends it. */
  kill: () => Promise<void>
  close: () => Promise<void>
}

const running = new Set<ChildProcess>()

/** Starts a server on the database of DATABASE_URL. */
export async function startBudgetNode(): Promise<BudgetNode> {
  const script = join(import.meta.dirname, 'budget-node-cli.ts')
  const hooks = join(import.meta.dirname, '../../scripts/typescript.mjs')
  const child = spawn(process.execPath, ['--import', hooks, script], { stdio: ['pipe', 'pipe', 'inherit'] })
  running.add(child)
  const exited = new Promise<void>((done) => child.once('exit', () => done())).then(
    () => void running.delete(child),
  )
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  const expectAnswer = (id: number) => {
    const answer = Promise.withResolvers<unknown>()
    waiting.set(id, answer)
    return answer.promise
  }
  const ready = expectAnswer(0)
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, value, code, message }: NodeSaid = JSON.parse(line)
    if (code) waiting.get(id)?.reject(Object.assign(new Error(message), { code }))
    else waiting.get(id)?.resolve(value)
    waiting.delete(id)
  })
  void exited.then(() => {
    for (const { reject } of waiting.values()) reject(new Error('The server ended.'))
  })
  await ready
  let count = 0
  return {
    ask: async <T>(call: NodeCall) => {
      const answer = expectAnswer(++count)
      child.stdin.write(`${JSON.stringify({ id: count, ...call })}\n`)
      return (await answer) as T
    },
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
    close: async () => {
      child.stdin.end()
      await exited
    },
  }
}

/** Ends every server that a test left running. */
export function killBudgetNodes(): void {
  for (const child of running) child.kill('SIGKILL')
}
