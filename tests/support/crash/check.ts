import type { ConversationView, MessageRecord } from '../../../lib/contracts/conversations'
import type { JournalEntry } from '../openai'
import { lastUserInput } from '../openai/text'
import type { Asking } from './asking'
import { isTerminal, type SeenFrame } from './follower'

/** What the database holds of one reply. */
export type Stored = {
  replyId: string
  status: string
  lastSeq: number | null
  frames: number
  usage: number
  questions: number
  answers: number
}

/** All that there is to know of one message when it has come to its end. */
export type Evidence = {
  asking: Asking
  replay: SeenFrame[]
  view: ConversationView
  stored: Stored | undefined
  journal: readonly JournalEntry[]
  /** When the server was killed, as `performance.now()` has it. */
  kills: number[]
  /** The database died under a server that lived: what asked it just then may have failed of that. */
  isDatabaseMissed: boolean
}

/** What must hold of one message after any crash; each that does not, in words. */
export function findViolations(evidence: Evidence): string[] {
  const { asking } = evidence
  const faults = [
    ...asking.faults,
    ...asking.followers.flatMap((follower) => follower.faults),
    ...checkFrames(evidence),
    ...checkMessage(evidence),
    ...checkEnd(evidence),
    ...checkUpstream(evidence),
    ...checkStored(evidence),
  ]
  return faults.map((fault) => `${asking.talk.kind}, ${asking.answer.question}: ${fault}`)
}

/** Every follower has what a later reader gets, byte for byte, in order, with one end. */
function checkFrames({ asking, replay }: Evidence): string[] {
  const faults: string[] = []
  if (replay.filter(isTerminal).length !== 1) faults.push('a replay has no single end')
  for (const { frames } of asking.followers) {
    const odd = frames.findIndex(({ seq, type, data }, index) => {
      const now = replay[index]
      return now?.seq !== seq || now.type !== type || now.data !== data
    })
    if (odd >= 0)
      faults.push(`frame ${odd} was ${write(frames[odd])} for a follower, and is ${write(replay[odd])} now`)
    if (frames.length !== replay.length)
      faults.push(`a follower saw ${frames.length} of ${replay.length} frames`)
  }
  return faults
}

const write = (frame: SeenFrame | undefined) =>
  frame ? `${frame.seq} ${frame.type} ${frame.data.slice(0, 200)}` : 'none'

/** What deltas of one type say together. */
function say(frames: SeenFrame[], type: 'text' | 'reasoning'): string {
  return frames.map((frame) => (frame.type === type ? JSON.parse(frame.data).text : '')).join('')
}

function findMessage({ asking, view }: Evidence): MessageRecord | undefined {
  return view.messages.find(({ id }) => id === asking.reply?.message_id)
}

/** The message holds what the frames said, and nothing else. */
function checkMessage(evidence: Evidence): string[] {
  const { replay, asking } = evidence
  const message = findMessage(evidence)
  if (!message) return ['the answer is gone']
  const faults: string[] = []
  if (message.text !== say(replay, 'text')) faults.push('the message differs from its frames')
  const thoughts = message.parts.flatMap((part) => (part.type === 'reasoning' ? [part.text] : [])).join('')
  if (thoughts !== say(replay, 'reasoning')) faults.push('the reasoning differs from its frames')
  if (message.status !== replay.at(-1)?.type) faults.push(`the message is ${message.status}`)
  if (!asking.answer.text.startsWith(message.text)) faults.push('the text is not what upstream said')
  if (!asking.answer.reasoning.startsWith(thoughts)) faults.push('the reasoning is not what upstream said')
  if (message.status === 'completed' && message.text !== asking.answer.text)
    faults.push(`complete with ${message.text.length} of ${asking.answer.text.length} characters`)
  return faults
}

/** An answer in the background that has begun comes to its own end; nothing fails. */
function checkEnd({ asking, replay, kills, isDatabaseMissed }: Evidence): string[] {
  const end = replay.at(-1)?.type
  if (end === 'failed') {
    const { data = '' } = replay.at(-1) ?? {}
    return isDatabaseMissed && data.includes('"code":"unavailable"') ? [] : [`failed: ${data}`]
  }
  const isResumable = asking.talk.kind.startsWith('background')
  if (end === 'interrupted' && isResumable && replay.length > 1)
    return [`interrupted after ${replay.length - 1} frames, and could have been resumed`]
  const endedAt = Math.min(...asking.followers.map((follower) => follower.endedAt))
  const { stopAcceptedAt } = asking
  const isForgotten = kills.some((at) => stopAcceptedAt < at && at < endedAt) && stopAcceptedAt > 0
  if (isForgotten && end !== 'stopped') return [`${end}, although a stop had been accepted`]
  if (end === 'stopped' && !asking.triedToStop) return ['stopped by nobody']
  return []
}

/** One upstream call for one message. */
function checkUpstream({ asking, journal }: Evidence): string[] {
  const calls = countCalls(asking, journal)
  return calls > 1 ? [`${calls} upstream calls`] : []
}

/** How often upstream was asked this question; to resume an answer is not to ask again. */
function countCalls({ answer }: Asking, journal: readonly JournalEntry[]): number {
  return journal.filter(
    ({ method, path, body }) =>
      method === 'POST' && path === '/v1/responses' && lastUserInput(body) === answer.question,
  ).length
}

function checkStored({ asking, stored, replay, journal }: Evidence): string[] {
  if (!stored) return ['the reply is not in the database']
  const faults: string[] = []
  const end = replay.at(-1)
  if (stored.status !== end?.type) faults.push(`the reply is ${stored.status}`)
  if (stored.lastSeq !== end?.seq || stored.frames !== replay.length)
    faults.push(`${stored.frames} frames up to ${stored.lastSeq} are stored`)
  if (stored.questions !== 1 || stored.answers !== 1)
    faults.push(`${stored.questions} questions and ${stored.answers} answers are stored`)
  const isAsked = countCalls(asking, journal) > 0 || say(replay, 'text') !== ''
  if (isAsked && stored.usage !== 1) faults.push(`counted ${stored.usage} times`)
  return faults
}
