import { describe, expect, it } from 'vitest'
import {
  type ChatAction,
  type ChatState,
  chatReducer,
  openChat,
  parentForNextMessage,
} from '@/components/chat/chat-state'
import { pathTo } from '@/components/chat/message-tree'
import { draftMessage } from '@/components/chat/opening'
import { describeRefusal } from '@/components/chat/problem'
import type { MessageRecord } from '@/lib/contracts/conversations'

const empty = openChat({ conversationId: null, messages: [], leafId: null, runningReplyId: null })

function message(id: string, parent_id: string | null, fields: Partial<MessageRecord> = {}): MessageRecord {
  const text = fields.text ?? id
  return {
    id,
    parent_id,
    role: 'user',
    status: 'completed',
    parts: [],
    text,
    created_at: '2026-01-01T00:00:00.000Z',
    ...fields,
  }
}

const play = (state: ChatState, ...actions: ChatAction[]): ChatState => actions.reduce(chatReducer, state)

const shown = (state: ChatState): string[] =>
  pathTo(state.tree, state.leafId).map(({ id, status }) => `${id}:${status}`)

const begin: ChatAction = { type: 'send_begun', message: message('u1', null) }
const opened: ChatAction = {
  type: 'reply_opened',
  message: message('u1', null),
  reply: { id: 'r1', message_id: 'a1', events_url: '/api/replies/r1/events' },
  optimisticId: 'u1',
}
const ended = (text: string): ChatAction => ({
  type: 'reply_ended',
  message: message('a1', 'u1', { role: 'assistant', text }),
})

describe('sending', () => {
  it('shows the message at once, then the answer in its place beneath', () => {
    const sent = play(empty, begin)
    expect(shown(sent)).toEqual(['u1:completed'])
    expect(sent.sends.u1?.state).toBe('sending')
    const running = play(sent, opened)
    expect(shown(running)).toEqual(['u1:completed', 'a1:running'])
    expect(running.sends).toEqual({})
    expect(running.running.a1?.replyId).toBe('r1')
    const done = play(running, ended('Hello'))
    expect(shown(done)).toEqual(['u1:completed', 'a1:completed'])
    expect(done.running).toEqual({})
  })

  it('keeps the text of a message that was refused, and never answers to it', () => {
    const problem = { message: 'No.', remedy: 'retry' as const }
    const failed = play(
      empty,
      begin,
      opened,
      ended('Hi'),
      { type: 'send_begun', message: message('u2', 'a1') },
      {
        type: 'send_failed',
        messageId: 'u2',
        problem,
      },
    )
    expect(failed.tree.byId.get('u2')?.text).toBe('u2')
    expect(failed.sends.u2).toEqual({ state: 'unsent', problem })
    expect(parentForNextMessage(failed)).toBe('a1')
  })

  it('sent again becomes one message, not two', () => {
    const problem = { message: 'No.', remedy: 'retry' as const }
    const again = play(empty, begin, { type: 'send_failed', messageId: 'u1', problem }, begin, opened)
    expect(again.tree.byId.size).toBe(2)
    expect(again.sends).toEqual({})
  })

  it('given up leaves the branch as it was', () => {
    const back = play(
      empty,
      begin,
      opened,
      ended('Hi'),
      { type: 'send_begun', message: message('u2', 'a1') },
      {
        type: 'send_discarded',
        messageId: 'u2',
      },
    )
    expect(shown(back)).toEqual(['u1:completed', 'a1:completed'])
  })
})

describe('another answer', () => {
  const answered = play(empty, begin, opened, ended('First'))

  it('stands beside the first and is the newer one, whatever the clock of this device', () => {
    const late = message('a1', 'u1', { role: 'assistant', created_at: '2031-01-01T00:00:00.000Z' })
    const again = play(
      answered,
      { type: 'reply_ended', message: late },
      {
        type: 'send_begun',
        message: draftMessage({ id: 'a2', parent_id: 'u1', role: 'assistant', text: '' }),
      },
      {
        ...opened,
        reply: { id: 'r2', message_id: 'a2', events_url: '/e' },
        optimisticId: 'a2',
      } as ChatAction,
    )
    expect(shown(again)).toEqual(['u1:completed', 'a2:running'])
    expect(again.tree.children.get('u1')).toContain('a1')
    expect(again.sends).toEqual({})
  })

  it('under an id of the server leaves no stand-in behind', () => {
    const again = play(
      answered,
      {
        type: 'send_begun',
        message: draftMessage({ id: 'mine', parent_id: 'u1', role: 'assistant', text: '' }),
      },
      {
        ...opened,
        reply: { id: 'r2', message_id: 'theirs', events_url: '/e' },
        optimisticId: 'mine',
      } as ChatAction,
    )
    expect(again.tree.byId.has('mine')).toBe(false)
    expect(again.tree.children.get('u1')).toEqual(['a1', 'theirs'])
  })
})

describe('what the server says later', () => {
  it('never makes an answer run again that this page saw end', () => {
    const done = play(empty, begin, opened, ended('All of it'))
    const stale = play(done, {
      type: 'view_loaded',
      messages: [
        message('u1', null),
        message('a1', 'u1', { role: 'assistant', status: 'running', text: '' }),
      ],
      runningReplyId: 'r1',
    })
    expect(stale.tree.byId.get('a1')?.text).toBe('All of it')
    expect(stale.running).toEqual({})
  })

  it('confirms a message whose answer to this page was lost, and follows its reply', () => {
    const problem = { message: 'Lost.', remedy: 'retry' as const }
    const lost = play(empty, begin, { type: 'send_failed', messageId: 'u1', problem })
    const found = play(lost, {
      type: 'view_loaded',
      messages: [message('u1', null), message('a1', 'u1', { role: 'assistant', status: 'running' })],
      runningReplyId: 'r1',
    })
    expect(found.sends).toEqual({})
    expect(shown(found)).toEqual(['u1:completed', 'a1:running'])
    expect(found.running.a1).toMatchObject({ replyId: 'r1', eventsUrl: '/api/replies/r1/events' })
  })

  it('follows a running reply after a reload', () => {
    const state = openChat({
      conversationId: 'c',
      messages: [message('u1', null), message('a1', 'u1', { role: 'assistant', status: 'running' })],
      leafId: 'a1',
      runningReplyId: 'r1',
    })
    expect(Object.keys(state.running)).toEqual(['a1'])
  })
})

describe('a refused message', () => {
  const refusal = { message: 'Slow down.', requestId: 'req-1', retryAfterSeconds: 7 }

  it.each([
    [{ ...refusal, status: 0, code: 'offline' }, 'retry', /connected/],
    [{ ...refusal, status: 401, code: 'unauthenticated' }, 'sign_in', /signed out/],
    [{ ...refusal, status: 404, code: 'not_found' }, 'none', /not there any more/],
    [{ ...refusal, status: 409, code: 'conflict' }, 'reload', /Slow down/],
    [{ ...refusal, status: 429, code: 'too_many_requests' }, 'retry', /in 7 seconds/],
    [{ ...refusal, status: 500, code: 'internal' }, 'retry', /Slow down/],
  ])('with status $status says what to do and that the text is kept', (failure, remedy, words) => {
    const problem = describeRefusal(failure)
    expect(problem.remedy).toBe(remedy)
    expect(problem.message).toMatch(words)
    expect(problem.message).toMatch(/kept/)
  })
})
