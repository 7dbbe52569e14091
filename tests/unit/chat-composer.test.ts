import { describe, expect, it } from 'vitest'
import {
  groupConversations,
  mergeConversations,
  reconcileConversations,
} from '@/components/chat/conversation-groups'
import { fillPrompt, matchPrompts, variablesOf } from '@/components/chat/prompt-text'
import type { ConversationRecord } from '@/lib/contracts/conversations'
import type { PromptRecord } from '@/lib/contracts/projects'

const prompt = (title: string, content: string, variables: PromptRecord['variables'] = []): PromptRecord => ({
  id: title,
  agent_id: 'a',
  title,
  content,
  variables,
  created_at: '',
  updated_at: '',
})

describe('prompts', () => {
  it('ask for every place in the order of the text, with what is listed as default', () => {
    const asked = variablesOf(
      prompt('T', 'To {{ name }} from {{sender}}, dear {{name}}', [
        { name: 'sender', default: 'Ada' },
        { name: 'cc' },
      ]),
    )
    expect(asked).toEqual([
      { name: 'name', initial: '' },
      { name: 'sender', initial: 'Ada' },
      { name: 'cc', initial: '' },
    ])
  })

  it('never read what was put in as a place again', () => {
    expect(fillPrompt('{{a}} {{b}} {{c}}', { a: '{{b}}', b: '$& $1' })).toBe('{{b}} $& $1 {{c}}')
    expect(fillPrompt('{{constructor}}', {})).toBe('{{constructor}}')
  })

  it('are found by all words that were typed, by title first', () => {
    const all = [prompt('Summary', 'Translate later'), prompt('Translate', 'To German'), prompt('Other', 'x')]
    expect(matchPrompts(all, 'trans').map(({ title }) => title)).toEqual(['Translate', 'Summary'])
    expect(matchPrompts(all, 'trans german').map(({ title }) => title)).toEqual(['Translate'])
    expect(matchPrompts(all, '')).toHaveLength(3)
  })
})

const conversation = (id: string, last_activity_at: string, pinned = false): ConversationRecord => ({
  id,
  agent_id: 'a',
  title: id,
  pinned,
  archived: false,
  current_message_id: null,
  running: false,
  created_at: last_activity_at,
  last_activity_at,
})

describe('the list of conversations', () => {
  const now = Date.parse('2026-03-31T00:30:00Z')

  it('is grouped by the calendar of the reader, pinned ones first', () => {
    const items = [
      conversation('today', '2026-03-31T00:10:00Z'),
      conversation('yesterday', '2026-03-30T23:50:00Z'),
      conversation('week', '2026-03-25T12:00:00Z'),
      conversation('february', '2026-02-10T12:00:00Z'),
      conversation('pinned', '2025-01-01T12:00:00Z', true),
    ]
    const groups = (zone: string) =>
      groupConversations(items, now, zone).map(({ label, items: group }) => [
        label,
        ...group.map(({ id }) => id),
      ])
    expect(groups('UTC')).toEqual([
      ['Pinned', 'pinned'],
      ['Today', 'today'],
      ['Yesterday', 'yesterday'],
      ['Previous 7 days', 'week'],
      ['February 2026', 'february'],
    ])
    expect(groups('America/New_York')[1]).toEqual(['Today', 'today', 'yesterday'])
  })

  it('knows yesterday on the days on which the clocks change', () => {
    const afterChange = Date.parse('2026-03-29T21:30:00Z')
    const [group] = groupConversations(
      [conversation('x', '2026-03-27T23:30:00Z')],
      afterChange,
      'Europe/Berlin',
    )
    expect(group?.label).toBe('Yesterday')
  })

  it('takes what is newer about a conversation that it knows', () => {
    const merged = mergeConversations(
      [conversation('a', '2026-01-01T00:00:00Z')],
      [
        { ...conversation('a', '2026-01-02T00:00:00Z'), title: 'Renamed' },
        conversation('b', '2026-01-01T00:00:00Z'),
      ],
    )
    expect(merged.map(({ title }) => title)).toEqual(['Renamed', 'b'])
  })

  it('draws nothing again that is as it was', () => {
    const known = conversation('a', '2026-01-01T00:00:00Z')
    expect(mergeConversations([known], [{ ...known }])[0]).toBe(known)
  })

  it('is as the server has it after a gap, but for what was told since', () => {
    const at = '2026-01-01T00:00:00Z'
    const known = ['stays', 'gone', 'renamed', 'made'].map((id) => conversation(id, at))
    const told = { ...conversation('renamed', at), title: 'Told' }
    const before = mergeConversations(known, [told])
    // The answer was read before "renamed" was, before "made" was made, and before "deleted" was deleted.
    const read = ['stays', 'renamed', 'new', 'deleted'].map((id) => conversation(id, at))
    const after = reconcileConversations(before, read, new Set(['renamed', 'made', 'deleted']))
    expect(after.map(({ title }) => title)).toEqual(['stays', 'Told', 'made', 'new'])
  })
})
