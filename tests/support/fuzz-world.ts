import { v7 as newId } from 'uuid'
import { followToEnd, openTalk, send } from './chat'
import { type Client, type Json, password, signUp } from './client'
import { formOf } from './files'

/** What an admin has, so that calls reach what they are about: by the names of places in routes. */
export type FuzzWorld = {
  admin: Client & { email: string; userId: string }
  /** The path of a route, with the admin's own things in its places. */
  pathOf: (route: string) => string
  /** A body that each `METHOD route` takes. */
  bodies: Record<string, object>
}

/** Makes an account, the first of its server, with one thing of each kind. */
export async function makeFuzzWorld(url: string): Promise<FuzzWorld> {
  const talk = await openTalk(url)
  const admin = talk.user
  const other = await signUp(url, 'other')
  const make = async (path: string, body: object): Promise<Json> => {
    const answer = await admin.post(path, body)
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`)
    return answer.body
  }
  const { reply } = await send(talk, 'Hello')
  await followToEnd(admin, reply.events_url)
  await make(`/api/projects/${talk.projectId}/members`, { user_id: other.userId, role: 'viewer' })
  const prompt = await make(`/api/agents/${talk.agentId}/prompts`, { title: 'Prompt', content: 'Text' })
  const key = await make('/api/keys', { name: 'Key', scopes: ['chat'] })
  const invitation = await make('/api/admin/users/invite', { email: 'invited@example.com' })
  const session = await make('/api/session/start', {})
  // Before the key that leads nowhere: the server's own takes it to its model server.
  const form = formOf('a.jsonl', '{}', { purpose: 'batch' })
  const remoteFile = await admin.call('POST', '/api/v1/files', { body: form })
  if (remoteFile.status !== 200) throw new Error(remoteFile.text)
  const credential = await make('/api/credentials', {
    credentialType: 'openai',
    baseUrl: 'http://127.0.0.1:9/v1',
    credentials: { api_key: 'sk-test-of-the-fuzz' },
  })
  const places: Record<string, string> = {
    projectId: talk.projectId,
    agentId: talk.agentId,
    conversationId: talk.conversationId,
    messageId: String(reply.message_id),
    replyId: reply.id,
    promptId: String(prompt.id),
    keyId: String(key.id),
    invitationId: String(invitation.id),
    credentialId: String(credential.id),
    userId: other.userId,
    version: '1',
    type: 'openai',
    model: 'gpt-5-mini',
    path: 'not/there',
    fileId: newId(),
  }
  const pathOf = (route: string) =>
    route.replaceAll(/\[+(?:\.\.\.)?(\w+)\]+/g, (_, name: string) => {
      if (name === 'fileId' && route.startsWith('/api/v1')) return String(remoteFile.body.id)
      if (name !== 'sessionId') return places[name] ?? newId()
      return route.startsWith('/api/auth') ? newId() : String(session.session_id)
    })
  return { admin, pathOf, bodies: rightBodies(places, String(session.session_id), admin.email) }
}

function rightBodies(
  places: Record<string, string>,
  sessionId: string,
  email: string,
): Record<string, object> {
  const id = newId()
  const later = '2030-01-31T12:00:00Z'
  const agent = {
    name: 'Agent',
    description: 'What it is',
    system_prompt: 'Be brief.',
    model_provider: 'auto',
    model_name: 'gpt-5-mini',
    temperature: 1,
    max_output_tokens: 100,
    reasoning_effort: 'low',
    background: false,
    tools: [],
  }
  const prompt = { title: 'Prompt', content: 'Hi {{name}}', variables: [{ name: 'name', default: 'you' }] }
  const credential = {
    username: email,
    credentialType: 'openai',
    projectId: places.projectId,
    scope: 'project',
    label: 'Label',
    baseUrl: 'http://127.0.0.1:9/v1',
    expiresAt: later,
    credentials: { api_key: 'sk-test-of-the-fuzz' },
  }
  const metrics = { session_id: sessionId, metrics: { clicks: 1, nested: { list: [1, 'two'] } } }
  const chat = { model: 'gpt-5-mini', messages: [{ role: 'user', content: 'Hello' }], stream: false, n: 1 }
  return {
    'POST /api/auth/register': {
      email: 'fuzz@example.com',
      password,
      name: 'Name',
      invitation: 'x'.repeat(43),
    },
    'POST /api/auth/login': { email, username: email, password: 'wrong password' },
    'POST /api/auth/password': { current: 'wrong password', next: 'another password' },
    'POST /api/projects': { name: 'Project', description: 'What it is' },
    'PATCH /api/projects/[projectId]': { name: 'Project', description: 'What it is' },
    'POST /api/projects/[projectId]/agents': agent,
    'PATCH /api/agents/[agentId]': agent,
    'POST /api/projects/[projectId]/members': { user_id: id, email: 'none@example.com', role: 'viewer' },
    'PATCH /api/projects/[projectId]/members/[userId]': { role: 'viewer' },
    'POST /api/agents/[agentId]/prompts': prompt,
    'PATCH /api/prompts/[promptId]': prompt,
    'POST /api/agents/[agentId]/conversations': { title: 'Title' },
    'PATCH /api/conversations/[conversationId]': {
      title: 'Title',
      pinned: true,
      archived: false,
      current_message_id: places.messageId ?? '',
    },
    'POST /api/conversations/[conversationId]/messages': {
      id,
      parent_id: null,
      text: 'Hello',
      file_ids: [id],
    },
    'POST /api/messages/[messageId]/regenerate': { id, model: 'gpt-5-mini' },
    'POST /api/messages/[messageId]/edit': { id, text: 'Hello' },
    'POST /api/messages/[messageId]/continue': { id },
    'POST /api/credentials': credential,
    'PUT /api/credentials/[credentialId]': credential,
    'POST /api/keys': {
      name: 'Key',
      scopes: ['chat'],
      project_id: places.projectId,
      expires_at: later,
      budget_usd: 1,
    },
    'POST /api/admin/users/invite': { email: 'invited@example.com', role: 'member' },
    'PATCH /api/admin/users/[userId]': { role: 'member', disabled: false },
    'PUT /api/admin/prices': {
      model: 'gpt-5-mini',
      price: { input_usd: 1, cached_input_usd: 1, output_usd: 1 },
    },
    'POST /api/chat': {
      message: 'Hello',
      history: [{ role: 'user', content: 'x' }],
      attached_files: [{ name: 'x', content: 'y' }],
      session_id: 'fuzz',
    },
    'POST /api/launch': { username: 'nobody@example.com' },
    'POST /api/session/start': { username: 'name', metadata: { page: 'chat', list: [1, { deep: 'x' }] } },
    'POST /api/session/metric': metrics,
    'POST /api/session/stop': metrics,
    'POST /api/v1/chat/completions': chat,
    'POST /api/v1/completions': { model: 'gpt-3.5-turbo-instruct', prompt: 'Hello', max_tokens: 5 },
    'POST /api/v1/embeddings': {
      model: 'text-embedding-3-small',
      input: ['Hello'],
      encoding_format: 'float',
    },
    'POST /api/v1/images/generations': { model: 'gpt-image-1', prompt: 'A cat', n: 1, size: '1024x1024' },
    'POST /api/v1/responses/compact': { model: 'gpt-5-mini', input: [{ role: 'user', content: 'Hello' }] },
    'POST /api/v1/moderations': { model: 'omni-moderation-latest', input: 'Hello' },
  }
}
