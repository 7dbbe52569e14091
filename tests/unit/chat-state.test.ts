import { describe, expect, it } from 'vitest'
import {
  type ChatAction,
  type ChatState,
  chatReducer,
  isBehind,
  openChat,
  parentForNextMessage,
} from '@/components/chat/chat-state'
import { pathTo } from '@/components/chat/message-tree'
import { draftMessage } from '@/components/chat/opening'
import { describeRefusal } from '@/components/chat/problem'
import type { ConversationRecord, MessageRecord } from '@/lib/contracts/conversations'

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
  reply: { id: 'r1', message_id: 'a1' },
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
    expect(running.running.a1).toBe('r1')
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
        reply: { id: 'r2', message_id: 'a2' },
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
        reply: { id: 'r2', message_id: 'theirs' },
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
      currentId: 'a1',
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
      currentId: 'a1',
      runningReplyId: 'r1',
    })
    expect(found.sends).toEqual({})
    expect(shown(found)).toEqual(['u1:completed', 'a1:running'])
    expect(found.running.a1).toBe('r1')
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

describe('what was done on another device', () => {
  const answer = (id: string, parent: string, fields: Partial<MessageRecord> = {}) =>
    message(id, parent, { role: 'assistant', ...fields })
  const both = [message('u1', null), answer('a1', 'u1')]
  const open = (leafId = 'a1') =>
    openChat({ conversationId: 'c', messages: both, leafId, runningReplyId: null })
  const load = (state: ChatState, currentId: string, ...more: MessageRecord[]) =>
    play(state, { type: 'view_loaded', messages: [...both, ...more], currentId, runningReplyId: 'r2' })
  const late = { created_at: '2026-01-01T00:00:09.000Z' }

  it('goes on at the end of the branch that is read', () => {
    const more = [message('u2', 'a1', late), answer('a2', 'u2', { ...late, status: 'running' })]
    const state = load(open(), 'a2', ...more)
    expect(shown(state)).toEqual(['u1:completed', 'a1:completed', 'u2:completed', 'a2:running'])
    expect(state.running).toEqual({ a2: 'r2' })
  })

  it('shows a second answer and an edited question in the place of the first', () => {
    const again = load(open(), 'a1b', answer('a1b', 'u1', { ...late, status: 'running' }))
    expect(shown(again)).toEqual(['u1:completed', 'a1b:running'])
    const edited = [message('u1b', null, late), answer('a1b', 'u1b', { ...late, status: 'running' })]
    expect(shown(load(open(), 'a1b', ...edited))).toEqual(['u1b:completed', 'a1b:running'])
  })

  it('leaves who reads another branch where they are', () => {
    const other = [
      message('u2', 'a1'),
      answer('a2', 'u2'),
      message('u2b', 'a1', late),
      answer('a2b', 'u2b', late),
    ]
    const messages = [...both, ...other]
    const reading = openChat({ conversationId: 'c', messages, leafId: 'a2', runningReplyId: null })
    const state = load(reading, 'a3', ...other, message('u3', 'a2b', late), answer('a3', 'u3', late))
    expect(state.leafId).toBe('a2')
  })

  it('never hides a message that could not be sent', () => {
    const problem = { message: 'No.', remedy: 'retry' as const }
    const unsent = play(
      open(),
      { type: 'send_begun', message: message('mine', 'a1') },
      { type: 'send_failed', messageId: 'mine', problem },
    )
    const state = load(unsent, 'a2', message('u2', 'a1', late), answer('a2', 'u2', late))
    expect(state.leafId).toBe('mine')
  })

  it('is missed as long as the page lacks it, and not while its own message is on its way', () => {
    const record = (fields: Partial<ConversationRecord>) =>
      ({ current_message_id: 'a1', ...fields }) as ConversationRecord
    expect(isBehind(open(), record({ running: false }))).toBe(false)
    expect(isBehind(open(), record({ current_message_id: 'a2', running: false }))).toBe(true)
    expect(isBehind(open(), record({ running: true }))).toBe(true)
    const sending = play(open(), { type: 'send_begun', message: message('u2', 'a1') })
    expect(isBehind(sending, record({ current_message_id: 'a2', running: true }))).toBe(false)
    const following = load(
      open(),
      'a2',
      message('u2', 'a1', late),
      answer('a2', 'u2', { ...late, status: 'running' }),
    )
    expect(isBehind(following, record({ current_message_id: 'a2', running: true }))).toBe(false)
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
