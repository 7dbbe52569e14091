import { v7 as newId } from 'uuid'
import type {
  ConversationView,
  MessageRecord,
  OpenedReply,
  ReplyEvent,
} from '../../lib/contracts/conversations'
import { type Answer, type Client, type Json, signUp } from './client'

/** One event of a reply as it came over the wire. */
export type SeenEvent = { id: number } & ReplyEvent

/** Someone signed in who has a project, an agent and an open conversation. */
export type Talk = {
  user: Client & { email: string; userId: string }
  projectId: string
  agentId: string
  conversationId: string
}

/** Signs someone up and opens a conversation with an agent made for it. */
export async function openTalk(url: string, agent: Record<string, unknown> = {}): Promise<Talk> {
  const user = await signUp(url)
  const project = await expectStatus(201, user.post('/api/projects', { name: 'Project' }))
  const projectId = String(project.id)
  const made = await expectStatus(
    201,
    user.post(`/api/projects/${projectId}/agents`, { name: 'Agent', ...agent }),
  )
  const agentId = String(made.id)
  const opened = await expectStatus(201, user.post(`/api/agents/${agentId}/conversations`, {}))
  return { user, projectId, agentId, conversationId: String(opened.conversation?.id) }
}

async function expectStatus(status: number, call: Promise<Answer>): Promise<Json> {
  const answer = await call
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${answer.text}`)
  return answer.body
}

/** Sends a message and returns what was opened. */
export async function send(
  talk: Talk,
  text: string,
  parentId: string | null = null,
  id = newId(),
): Promise<OpenedReply> {
  const body = { id, parent_id: parentId, text }
  const path = `/api/conversations/${talk.conversationId}/messages`
  return (await expectStatus(202, talk.user.post(path, body))) as unknown as OpenedReply
}

/** The events of a reply as they come; leave the loop to disconnect. */
export async function* follow(user: Client, eventsUrl: string, after?: number): AsyncGenerator<SeenEvent> {
  const gone = new AbortController()
  try {
    const query = after === undefined ? '' : `?after=${after}`
    const response = await fetch(`${user.url}${eventsUrl}${query}`, {
      headers: { authorization: `Bearer ${user.token}` },
      signal: gone.signal,
    })
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`)
    let buffer = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      buffer += decoder.decode(chunk, { stream: true })
      const blocks = buffer.split('\n\n')
      buffer = blocks.pop() ?? ''
      for (const block of blocks) if (block.startsWith('id:')) yield parseEvent(block)
    }
  } finally {
    gone.abort()
  }
}

function parseEvent(block: string): SeenEvent {
  const field = (name: string) =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2)
  return {
    id: Number(field('id')),
    type: field('event'),
    data: JSON.parse(field('data') ?? 'null'),
  } as SeenEvent
}

/** All events of a reply, to its end. */
export async function followToEnd(user: Client, eventsUrl: string, after?: number): Promise<SeenEvent[]> {
  const events: SeenEvent[] = []
  for await (const event of follow(user, eventsUrl, after)) events.push(event)
  return events
}

/** The text that the deltas of these events make. */
export function textOf(events: SeenEvent[]): string {
  return events.map((event) => (event.type === 'text' ? event.data.text : '')).join('')
}

/** The conversation as a page that is loaded now would show it. */
export async function view(talk: Talk): Promise<ConversationView> {
  const { status, body, text } = await talk.user.get(`/api/conversations/${talk.conversationId}`)
  if (status !== 200) throw new Error(`${status}: ${text}`)
  return body as unknown as ConversationView
}

/** The last message of the conversation. */
export async function lastMessage(talk: Talk): Promise<MessageRecord> {
  const message = (await view(talk)).messages.at(-1)
  if (!message) throw new Error('The conversation is empty.')
  return message
}
