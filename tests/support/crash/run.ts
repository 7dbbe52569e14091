import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, signUp } from '../client'
import { listProcessesIn, untilNoProcessIn } from '../embedded'
import { type OpenAIServer, startOpenAI } from '../openai'
import { seededRandom } from '../openai/stream-writer'
import { lastUserInput } from '../openai/text'
import { makeOwnFolder } from '../own-folder'
import { type Answer, agentsByKind, between, type Chance, kinds, oneOf, planAnswer } from './answers'
import { Asking, type Talk } from './asking'
import { findViolations } from './check'
import { readStored } from './evidence'
import { findFreePort, KillableServer, killIfThere } from './killable-server'
import { Moments, moments } from './moments'

/** How the crashes are to be; the same seed makes the same plan, and the machine's own timing the rest. */
export type CrashPlan = { rounds: number; limitMs: number; seed: number; say: (line: string) => void }

/** What was seen. */
export type CrashReport = {
  seed: number
  rounds: number
  kills: number
  /** How often the database died, with the server or without. */
  databaseKills: number
  replies: number
  framesCompared: number
  connections: number
  ends: Record<string, number>
  resumed: number
  /** Longest time from a server's being ready to the end of an answer that it found broken off. */
  slowestEndMs: number
  slowestBootMs: number
  violations: string[]
  errors: [message: string, count: number][]
}

/** A running answer must have ended this long after the server was ready again, if nobody goes on with it. */
const endWithinMs = 10_000
/** Any answer has come to its end by then. */
const roundLimitMs = 60_000

/** Kills a server over and over while it answers, and compares what every reader saw with what is there afterwards. */
export async function runCrashes(plan: CrashPlan): Promise<CrashReport> {
  const folder = makeOwnFolder('crash')
  const openai = await startOpenAI()
  const dataDir = join(folder.path, 'data')
  const server = new KillableServer(await findFreePort(), {
    DATABASE_URL: '',
    DATA_DIR: dataDir,
    SESSION_LOG_DIR: join(folder.path, 'SessionLog'),
    OPENAI_API_KEY: 'sk-test-of-crashes',
    OPENAI_BASE_URL: openai.baseUrl,
    DRAIN_TIMEOUT: '700ms',
  })
  try {
    return await new CrashRun(plan, { server, openai, dataDir }).run()
  } finally {
    await server.stop()
    await untilNoProcessIn(dataDir)
    await openai.close()
    folder.remove()
  }
}

type Stage = { server: KillableServer; openai: OpenAIServer; dataDir: string }

class CrashRun {
  private readonly plan: CrashPlan
  private readonly stage: Stage
  private readonly chance: Chance
  private readonly report: CrashReport
  private token = ''
  private talks: Talk[] = []
  private answers = new Map<string, Answer>()
  /** When the server that serves now was ready. */
  private readyAt = 0
  private kills: number[] = []
  private isDatabaseMissed = false
  private readonly moments: Moments

  constructor(plan: CrashPlan, stage: Stage) {
    this.plan = plan
    this.stage = stage
    this.chance = seededRandom(plan.seed)
    this.moments = new Moments(this.chance)
    this.report = {
      seed: plan.seed,
      rounds: 0,
      kills: 0,
      databaseKills: 0,
      replies: 0,
      framesCompared: 0,
      connections: 0,
      ends: {},
      resumed: 0,
      slowestEndMs: 0,
      slowestBootMs: 0,
      violations: [],
      errors: [],
    }
  }

  async run(): Promise<CrashReport> {
    const { rounds, limitMs, say } = this.plan
    const startedAt = performance.now()
    await this.boot()
    await this.openTalks()
    for (let round = 1; round <= rounds; round++) {
      if (performance.now() - startedAt > limitMs) {
        this.report.violations.push(`only ${round - 1} of ${rounds} rounds within ${limitMs / 1000} s`)
        break
      }
      await this.round(round)
      this.report.rounds = round
      const { replies, kills, violations, ends } = this.report
      say(
        `round ${round}: ${kills} kills, ${replies} replies, ${JSON.stringify(ends)}, ${violations.length} violations`,
      )
    }
    await this.stage.server.stop()
    this.report.errors = [...this.stage.server.errors]
    return this.report
  }

  private async boot(): Promise<void> {
    const startedAt = performance.now()
    this.stage.server.spawn()
    await this.stage.server.untilReady()
    this.readyAt = performance.now()
    this.report.slowestBootMs = Math.max(this.report.slowestBootMs, this.readyAt - startedAt)
  }

  private async openTalks(): Promise<void> {
    const user = await signUp(this.stage.server.url)
    this.token = String(user.token)
    const project = await user.post('/api/projects', { name: 'Crashes' })
    for (const kind of kinds) {
      const agent = await user.post(`/api/projects/${project.body.id}/agents`, {
        name: kind,
        ...agentsByKind[kind],
      })
      const opened = await user.post(`/api/agents/${agent.body.id}/conversations`)
      if (opened.status !== 201) throw new Error(opened.text)
      this.talks.push({ kind, conversationId: String(opened.body.conversation?.id), parentId: null })
    }
  }

  private async round(round: number): Promise<void> {
    const { openai, server } = this.stage
    openai.reset()
    this.answers.clear()
    this.kills = []
    this.isDatabaseMissed = false
    openai.script((entry) => {
      this.moments.tell('asked')
      return this.answers.get(lastUserInput(entry.body))?.script ?? undefined
    })
    const over = new AbortController()
    const limit = setTimeout(() => over.abort(), roundLimitMs)
    const asker = {
      url: server.url,
      token: this.token,
      chance: this.chance,
      signal: over.signal,
      moments: this.moments,
    }
    const askings = this.talks.map((talk, index) => {
      const answer = planAnswer(this.chance, talk.kind, `[${round}.${index}]`)
      this.answers.set(answer.question, answer)
      return new Asking(asker, talk, answer)
    })
    const asked = Promise.all(askings.map((asking) => this.ask(asking)))
    await this.crash()
    await asked
    for (const asking of askings) await this.examine(asking)
    this.report.resumed += openai.journal.filter(({ path }) => path.includes('starting_after=')).length
    clearTimeout(limit)
  }

  private async ask(asking: Asking): Promise<void> {
    await sleep(between(this.chance, 0, 400))
    await asking.run()
  }

  /** One crash, at any time or just when something happens, and often others while the server is starting again. */
  private async crash(): Promise<void> {
    const { server, dataDir } = this.stage
    // The database alone dies now and then, and comes back under a server that lives.
    if (this.chance() < 0.2) {
      await sleep(between(this.chance, 0, 700))
      for (const pid of listProcessesIn(dataDir)) killIfThere(pid)
      this.report.databaseKills += 1
      this.isDatabaseMissed = true
    }
    const isAtRandom = this.chance() < 0.5
    if (isAtRandom) await sleep(between(this.chance, 0, 1500))
    const database = this.chooseDatabase()
    if (!isAtRandom) await this.moments.next(oneOf(this.chance, moments), 1500)
    await this.kill(database)
    while (this.chance() < 0.35) {
      server.spawn()
      await sleep(between(this.chance, 0, 2500))
      await this.kill(this.chooseDatabase())
    }
    await this.boot()
  }

  /** Half of the time the database dies too, and with it all that it has not yet committed. Looking for it takes time. */
  private chooseDatabase(): number[] {
    return this.chance() < 0.5 ? listProcessesIn(this.stage.dataDir) : []
  }

  private async kill(database: number[]): Promise<void> {
    const { server } = this.stage
    this.kills.push(performance.now())
    this.report.kills += 1
    if (this.chance() < 0.15) return server.killStopping(between(this.chance, 0, 1500))
    if (database.length > 0) this.report.databaseKills += 1
    await server.kill(database)
  }

  private async examine(asking: Asking): Promise<void> {
    const { report, stage } = this
    report.replies += 1
    if (!asking.reply) {
      report.violations.push(`${asking.answer.question}: it was never taken: ${asking.faults}`)
      return
    }
    const replay = await asking.replay()
    const view = await new Client(stage.server.url, this.token).get(
      `/api/conversations/${asking.talk.conversationId}`,
    )
    const [stored] = await readStored(stage.dataDir, [asking.reply.id])
    const { journal } = stage.openai
    const evidence = {
      asking,
      replay: replay.frames,
      view: view.body as never,
      stored,
      journal,
      kills: this.kills,
      isDatabaseMissed: this.isDatabaseMissed,
    }
    report.violations.push(...findViolations(evidence))
    this.count(asking, replay.frames.length, replay.frames.at(-1)?.type ?? 'none')
    if (this.chance() < 0.5) asking.talk.parentId = asking.reply.message_id
  }

  private count(asking: Asking, frames: number, end: string): void {
    const { report } = this
    report.ends[end] = (report.ends[end] ?? 0) + 1
    report.framesCompared += frames * asking.followers.length
    for (const follower of asking.followers) report.connections += follower.connections
    if (end !== 'interrupted') return
    const lateMs = Math.max(...asking.followers.map(({ endedAt }) => endedAt)) - this.readyAt
    report.slowestEndMs = Math.max(report.slowestEndMs, lateMs)
    if (lateMs > endWithinMs)
      report.violations.push(`${asking.answer.question}: interrupted ${Math.round(lateMs)} ms after the boot`)
  }
}
