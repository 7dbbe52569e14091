import type { EarlyFinish, MessagePart, ReplyError, TokenUsage } from '../contracts/conversations'

export type TerminalType = 'completed' | 'stopped' | 'interrupted' | 'failed'
export type DeltaType = 'text' | 'reasoning'
export type FrameType = DeltaType | TerminalType

/**
 * One entry of a reply's log; `seq` counts from 0 without gaps, `text` is the delta, empty in a terminal frame.
 * `cursor` is the number of the last upstream event in it, where the answer can be picked up again after that event.
 */
export type Frame = { seq: number; type: FrameType; text: string; cursor?: number }

/** How a reply ended and what its message becomes. */
export type Ending = {
  type: TerminalType
  parts: MessagePart[]
  usage: TokenUsage | null
  error: ReplyError | null
  model: string | null
  provider: string | null
  finish: EarlyFinish | null
}

const terminal: ReadonlySet<string> = new Set<TerminalType>(['completed', 'stopped', 'interrupted', 'failed'])

/** The text as Postgres can keep it: it has no U+0000 and no half characters. */
export function makeStorable(text: string): string {
  return text.replaceAll('\u0000', '\ufffd').toWellFormed()
}

/** Whether this frame is the last of its reply. */
export function isTerminal(frame: Frame): boolean {
  return terminal.has(frame.type)
}

/** The parts that a reply's deltas make, in their order; neighbours of one kind become one part. */
export function foldParts(deltas: Iterable<Frame>): MessagePart[] {
  const folded: { type: DeltaType; pieces: string[] }[] = []
  for (const { type, text } of deltas) {
    if (type !== 'text' && type !== 'reasoning') continue
    const last = folded.at(-1)
    if (last?.type === type) last.pieces.push(text)
    else folded.push({ type, pieces: [text] })
  }
  return folded.map(({ type, pieces }) => ({ type, text: pieces.join('') }))
}

/** The answer without its reasoning: what is searched, copied and sent back as history. */
export function textOf(parts: MessagePart[]): string {
  return parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n\n')
}
