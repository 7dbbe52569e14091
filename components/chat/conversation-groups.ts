import type { ConversationRecord } from '@/lib/contracts/conversations'

export type ConversationGroup = { label: string; items: ConversationRecord[] }

const dayMs = 86_400_000

/** Days since the epoch on the calendar of a time zone; undefined is the device's own. */
function dayNumber(time: number, timeZone: string | undefined): number {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  })
  return Date.parse(`${parts.format(time)}T00:00:00Z`) / dayMs
}

function labelOf(time: number, now: number, timeZone: string | undefined): string {
  const daysAgo = dayNumber(now, timeZone) - dayNumber(time, timeZone)
  if (daysAgo <= 0) return 'Today'
  if (daysAgo === 1) return 'Yesterday'
  if (daysAgo <= 7) return 'Previous 7 days'
  return new Intl.DateTimeFormat('en', { timeZone, month: 'long', year: 'numeric' }).format(time)
}

/** Newest activity first, as the sidebar shows them: pinned, then by day, week and month. */
export function groupConversations(
  conversations: readonly ConversationRecord[],
  now: number,
  timeZone?: string,
): ConversationGroup[] {
  const sorted = [...conversations].sort((a, b) => (a.last_activity_at < b.last_activity_at ? 1 : -1))
  const groups = new Map<string, ConversationRecord[]>([['Pinned', []]])
  for (const conversation of sorted) {
    const label = conversation.pinned
      ? 'Pinned'
      : labelOf(Date.parse(conversation.last_activity_at), now, timeZone)
    const group = groups.get(label)
    if (group) group.push(conversation)
    else groups.set(label, [conversation])
  }
  return [...groups].filter(([, items]) => items.length > 0).map(([label, items]) => ({ label, items }))
}

/** One list out of two, where what is newer wins; what is the same stays the same object. */
export function mergeConversations(
  known: readonly ConversationRecord[],
  news: readonly ConversationRecord[],
): ConversationRecord[] {
  const byId = new Map(known.map((conversation) => [conversation.id, conversation]))
  for (const conversation of news) {
    const before = byId.get(conversation.id)
    if (!before || !isSame(before, conversation)) byId.set(conversation.id, conversation)
  }
  return [...byId.values()]
}

/** The list after it was read again: what is not there any more goes; of those in `newer` more is known already. */
export function reconcileConversations(
  known: readonly ConversationRecord[],
  read: readonly ConversationRecord[],
  newer: ReadonlySet<string>,
): ConversationRecord[] {
  const settled = read.filter(({ id }) => !newer.has(id))
  const there = new Set([...settled.map(({ id }) => id), ...newer])
  return mergeConversations(known, settled).filter(({ id }) => there.has(id))
}

function isSame(a: ConversationRecord, b: ConversationRecord): boolean {
  return (Object.keys(b) as (keyof ConversationRecord)[]).every((key) => a[key] === b[key])
}
