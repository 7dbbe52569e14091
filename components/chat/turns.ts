import type { MessageRecord } from '@/lib/contracts/conversations'
import { turnGroupSize } from '@/lib/contracts/limits'
import type { ChatState, Send } from './chat-state'
import { pathTo, versionsOf } from './message-tree'

/** Messages that are drawn, or left out, together. */
export const groupSize = turnGroupSize

/** One message as the transcript draws it. Flat, so that an unchanged turn is not drawn again. */
export type Turn = {
  message: MessageRecord
  /** Which of its versions this is, from 1. */
  version: number
  versionCount: number
  previousId: string | undefined
  nextId: string | undefined
  send: Send | undefined
  /** False while a running reply's connection is lost. */
  connected: boolean
  isLast: boolean
}

/** The branch that is shown, message by message; `connected` says whether the server is heard. */
export function listTurns({ tree, leafId, sends, running }: ChatState, connected: boolean): Turn[] {
  const path = pathTo(tree, leafId)
  return path.map((message, index) => {
    const { ids, index: at } = versionsOf(tree, message)
    return {
      message,
      version: at + 1,
      versionCount: ids.length,
      previousId: ids[at - 1],
      nextId: ids[at + 1],
      send: sends[message.id],
      connected: connected || running[message.id] === undefined,
      isLast: index === path.length - 1,
    }
  })
}

/** Whether two turns look the same. */
export function isSameTurn(a: Turn, b: Turn): boolean {
  return (Object.keys(a) as (keyof Turn)[]).every((key) => a[key] === b[key])
}

/** Turns in groups, counted from the first, so that a group keeps its place while the end grows. */
export function groupTurns(turns: readonly Turn[]): Turn[][] {
  const groups: Turn[][] = []
  for (let begin = 0; begin < turns.length; begin += groupSize)
    groups.push(turns.slice(begin, begin + groupSize))
  return groups
}
