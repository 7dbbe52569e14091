import { describe, expect, it } from 'vitest'
import { openChat } from '@/components/chat/chat-state'
import { graft, newestLeaf, pathTo, plantTree, prune, versionsOf } from '@/components/chat/message-tree'
import { cutOpening } from '@/components/chat/opening'
import { groupTurns, isSameTurn, listTurns } from '@/components/chat/turns'
import type { ConversationView, MessageRecord } from '@/lib/contracts/conversations'

let clock = 0
function say(id: string, parent_id: string | null, role: 'user' | 'assistant' = 'user'): MessageRecord {
  clock += 1
  return {
    id,
    parent_id,
    role,
    status: 'completed',
    parts: [{ type: 'text', text: id }],
    text: id,
    created_at: new Date(clock * 1000).toISOString(),
  }
}

/** u1 → a1 → u2 → a2, with u2b (an edit of u2, answered by a2b) and a1b (a second answer to u1). */
function forked(): MessageRecord[] {
  return [
    say('u1', null),
    say('a1', 'u1', 'assistant'),
    say('u2', 'a1'),
    say('a2', 'u2', 'assistant'),
    say('u2b', 'a1'),
    say('a2b', 'u2b', 'assistant'),
    say('a1b', 'u1', 'assistant'),
  ]
}

const ids = (messages: readonly MessageRecord[]): string[] => messages.map(({ id }) => id)

/** A conversation of so many messages in one line. */
function longView(count: number): ConversationView {
  const messages = Array.from({ length: count }, (_, n) =>
    say(`m${n}`, n === 0 ? null : `m${n - 1}`, n % 2 === 0 ? 'user' : 'assistant'),
  )
  const conversation = {
    id: 'c',
    agent_id: 'a',
    title: 'Long',
    pinned: false,
    archived: false,
    current_message_id: `m${count - 1}`,
    running: false,
    created_at: '2026-01-01T00:00:00.000Z',
    last_activity_at: '2026-01-01T00:00:00.000Z',
  }
  return { conversation, messages, running_reply_id: null }
}

describe('the tree of messages', () => {
  it('reads any branch from its first message to its end', () => {
    const tree = plantTree(forked())
    expect(ids(pathTo(tree, 'a2'))).toEqual(['u1', 'a1', 'u2', 'a2'])
    expect(ids(pathTo(tree, 'a2b'))).toEqual(['u1', 'a1', 'u2b', 'a2b'])
    expect(ids(pathTo(tree, 'a1b'))).toEqual(['u1', 'a1b'])
  })

  it('ends a chosen branch at its newest turn', () => {
    const tree = plantTree(forked())
    expect(newestLeaf(tree, 'a1')).toBe('a2b')
    expect(newestLeaf(tree, 'u2')).toBe('a2')
    expect(newestLeaf(tree, null)).toBe('a1b')
  })

  it('counts versions among siblings of one role, oldest first', () => {
    const tree = plantTree(forked())
    const [, a1, u2, , u2b] = forked()
    if (!a1 || !u2 || !u2b) throw new Error('no messages')
    expect(versionsOf(tree, a1)).toEqual({ ids: ['a1', 'a1b'], index: 0 })
    expect(versionsOf(tree, u2)).toEqual({ ids: ['u2', 'u2b'], index: 0 })
    expect(versionsOf(tree, u2b).index).toBe(1)
  })

  it('does not depend on the order in which messages arrive', () => {
    const messages = forked()
    const backwards = plantTree([...messages].reverse())
    expect(ids(pathTo(backwards, newestLeaf(backwards, 'u1')))).toEqual(['u1', 'a1b'])
    expect(graft(plantTree([]), messages).children).toEqual(plantTree(messages).children)
  })

  it('loses no message whose parent is not there', () => {
    const tree = prune(plantTree(forked()), 'a1')
    expect(tree.children.get(null)).toEqual(['u1', 'u2', 'u2b'])
  })

  it('ends even when the parents form a circle', () => {
    const tree = plantTree([say('x', 'y'), say('y', 'x')])
    expect(ids(pathTo(tree, 'x')).sort()).toEqual(['x', 'y'])
    expect(newestLeaf(tree, 'x')).toBe('y')
  })
})

describe('the turns that are drawn', () => {
  it('name the neighbours of every version', () => {
    const state = openChat({ conversationId: 'c', messages: forked(), leafId: 'a2b', runningReplyId: null })
    const turn = listTurns(state, true).find(({ message }) => message.id === 'u2b')
    expect(turn).toMatchObject({ version: 2, versionCount: 2, previousId: 'u2', nextId: undefined })
  })

  it('are the same when nothing about them changed, and not when the message did', () => {
    const state = openChat({ conversationId: 'c', messages: forked(), leafId: 'a2', runningReplyId: null })
    const [first] = listTurns(state, true)
    const [again] = listTurns({ ...state, running: {} }, true)
    if (!first || !again) throw new Error('no turns')
    expect(isSameTurn(first, again)).toBe(true)
    expect(isSameTurn(first, { ...again, message: { ...again.message } })).toBe(false)
  })
})

describe('the opening of a long conversation', () => {
  it('is its end, cut where a group begins', () => {
    const full = longView(5003)
    const opening = cutOpening(full, 0)
    const whole = groupTurns(
      listTurns(
        openChat({ conversationId: 'c', messages: full.messages, leafId: 'm5002', runningReplyId: null }),
        true,
      ),
    )
    expect(opening.complete).toBe(false)
    expect(opening.messages.at(-1)?.id).toBe('m5002')
    expect(opening.messages.length).toBeLessThan(60)
    expect(whole.map(([first]) => first?.message.id)).toContain(opening.messages[0]?.id)
  })

  it('is the whole of a short one', () => {
    expect(cutOpening(longView(12), 0)).toMatchObject({ complete: true, messages: { length: 12 } })
  })
})
