import { setTimeout as sleep } from 'node:timers/promises'
import { env } from '../env'
import { log } from '../log'
import { remember } from '../remember'
import { Held } from './held'
import { type PapitaAnswer, readAnswer } from './papita-answer'
import { callPapita, papitaLimitMs } from './papita-call'

/** What Papita says of a user's key and of the one for everyone; null where nobody needed to ask. */
export type PapitaAnswers = { user: PapitaAnswer | null; global: PapitaAnswer | null }

/** Whom a key is wanted for; a visitor has no name. */
type Asker = { username: string | null; projectId: string | null }

const maxHeld = 1000
const keyHeldMs = 60_000
/** A key that is added or mended in Papita serves after this at the latest. */
const restHeldMs = 10_000
/** While Papita is silent, one question is asked in so long a time, and all others go on without waiting. */
const silenceMs = 10_000

type Failure = { question: string; why: string; isSilent: boolean; at: number }
type Papita = {
  answers: Held<PapitaAnswer>
  asked: Map<string, Promise<PapitaAnswer>>
  generation: number
  silence: { why: string; endsAt: number; isProbed: boolean } | null
  lastFailure: Failure | null
}

/** What is known of Papita in this process; the keys in it for a minute. */
function papita(): Papita {
  return remember('vault.papita', () => ({
    answers: new Held(maxHeld),
    asked: new Map(),
    generation: 0,
    silence: null,
    lastFailure: null,
  }))
}

/** Whether Papita is asked for such keys: those that it has are OpenAI's. */
export function isPapitaFor(provider: string): boolean {
  return env().PAPITA_API_URL !== undefined && ['auto', 'any', 'openai'].includes(provider)
}

/**
 * Asks for the user's key in the project, for the user's key, then for everyone's, until there is one: 2 s for all of
 * it; never throws. Who asks the same at once shares the answer.
 */
export async function askPapita({ username, projectId }: Asker): Promise<PapitaAnswers> {
  const enough = new AbortController()
  const late = sleep(papitaLimitMs, tooLate, { signal: enough.signal, ref: false }).catch(() => tooLate)
  const askInTime = (question: string) => Promise.race([ask(question), late])
  try {
    const user = await askForUser(username === null ? [] : userQuestions(username, projectId), askInTime)
    if (user?.kind === 'found') return { user, global: null }
    if (user === tooLate) return { user, global: tooLate }
    return { user, global: await askInTime('/api/credentials/global/openai') }
  } finally {
    enough.abort()
  }
}

const tooLate: PapitaAnswer = {
  kind: 'failed',
  why: `Papita does not answer within ${papitaLimitMs / 1000} s.`,
  isSilent: true,
}

async function askForUser(
  questions: string[],
  askInTime: (question: string) => Promise<PapitaAnswer>,
): Promise<PapitaAnswer | null> {
  const heard: PapitaAnswer[] = []
  for (const question of questions) {
    const answer = await askInTime(question)
    if (answer.kind === 'found' || answer === tooLate) return answer
    heard.push(answer)
  }
  return heard.find(({ kind }) => kind === 'failed') ?? heard[0] ?? null
}

/** Some look for a project's keys alone when a project is named, so the user is asked for without one too. */
function userQuestions(username: string, projectId: string | null): string[] {
  const plain = `/api/credentials?${new URLSearchParams({ username, credentialType: 'openai' })}`
  return projectId === null ? [plain] : [`${plain}&projectId=${projectId}`, plain]
}

/** The key in what Papita said, if it has one. */
export function keyIn({ user, global }: PapitaAnswers): string | null {
  const first = [user, global].find((answer) => answer?.kind === 'found')
  return first?.kind === 'found' ? first.apiKey : null
}

/** Drops what is held, or of it only this key, which its provider refused: the next call asks anew. */
export function forgetPapita(apiKey?: string): void {
  papita().generation += 1
  papita().answers.drop(
    (answer) => apiKey === undefined || (answer.kind === 'found' && answer.apiKey === apiKey),
  )
}

/** The last question that failed, unless that is mended. */
export function lastFailure(): Failure | null {
  return papita().lastFailure
}

function ask(question: string): Promise<PapitaAnswer> {
  const { answers, asked, silence } = papita()
  const known = answers.get(question)
  if (known) return Promise.resolve(known)
  const running = asked.get(question)
  if (running) return running
  if (silence && (silence.isProbed || Date.now() < silence.endsAt)) {
    return Promise.resolve({ kind: 'failed', why: silence.why, isSilent: true })
  }
  if (silence) silence.isProbed = true
  const answer = put(question).finally(() => asked.delete(question))
  asked.set(question, answer)
  return answer
}

async function put(question: string): Promise<PapitaAnswer> {
  const { generation } = papita()
  const answer = readAnswer(await callPapita(question, { withToken: true }))
  if (answer.kind === 'failed') noteFailure(question, answer)
  else noteSuccess(question)
  const isHeld = answer.kind !== 'failed' || !answer.isSilent
  if (!isHeld) papita().silence = { why: answer.why, endsAt: Date.now() + silenceMs, isProbed: false }
  else papita().silence = null
  if (isHeld && papita().generation === generation) {
    papita().answers.set(question, answer, answer.kind === 'found' ? keyHeldMs : restHeldMs)
  }
  return answer
}

function noteFailure(question: string, { why, isSilent }: PapitaAnswer & { kind: 'failed' }): void {
  papita().lastFailure = { question, why, isSilent, at: Date.now() }
  log().warn({ why }, 'a question to Papita failed; the search for a key goes on without it')
}

/** One user's key that is mended says nothing of another's; an answer at all says that the silence is over. */
function noteSuccess(question: string): void {
  const { lastFailure: failure } = papita()
  if (!failure || (!failure.isSilent && failure.question !== question)) return
  papita().lastFailure = null
  log().info('Papita answers again')
}
