import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Actor, createKey, requireCaller } from '@/lib/auth'
import {
  continueMessage,
  createConversation,
  deleteConversation,
  editMessage,
  followAnswer,
  getConversationOpening,
  getConversationView,
  listConversations,
  regenerateMessage,
  sendMessage,
  stopAnswer,
  updateConversation,
} from '@/lib/chat'
import { CreateAgent } from '@/lib/contracts/projects'
import { db } from '@/lib/db'
import { asAppError } from '@/lib/errors'
import { describeProvider, testCredential } from '@/lib/health'
import {
  addMember,
  createAgent,
  createProject,
  createPrompt,
  deleteAgent,
  deleteProject,
  deletePrompt,
  ensureDefaultAgent,
  getAgent,
  getProject,
  getPrompt,
  listAgents,
  listAgentVersions,
  listLaunchableAgents,
  listMembers,
  listProjects,
  listPrompts,
  removeMember,
  restoreAgentVersion,
  updateAgent,
  updateMember,
  updateProject,
  updatePrompt,
} from '@/lib/projects'
import {
  createCredential,
  deleteCredential,
  explainResolution,
  findServingKey,
  listCredentials,
  updateCredential,
  withCredential,
} from '@/lib/vault'
import { getAnsweringAgent } from '../../lib/chat/context'
import { makeActor, openLibrary, origin } from '../support/library'

/* All that a key which is bound to a project can be used for, tried on that project and on another one of its owner's. */

type Things = {
  projectId: string
  agentId: string
  promptId: string
  conversationId: string
  askedId: string
  answerId: string
  replyId: string
  credentialId: string
}

let close: () => Promise<void>
let owner: Actor
let friend: Actor
let bound: Actor
let here: Things
let there: Things
let ownCredentialId: string

const apiKey = { credentials: { api_key: 'sk-test-of-the-reach' } }
const openai = { credentialType: 'openai', ...apiKey } as const

beforeAll(async () => {
  close = await openLibrary()
  ;[owner, friend] = [await makeActor('owner', 'admin'), await makeActor('friend')]
  ;[here, there] = [await makeThings('Here'), await makeThings('There')]
  ownCredentialId = (await createCredential(owner, { ...openai, scope: 'user' }, origin)).id
  await createCredential(owner, { ...openai, scope: 'global' }, origin)
  const scopes = ['chat', 'portal:read', 'portal:write'] as const
  const wish = { name: 'Bound', scopes: [...scopes], project_id: here.projectId }
  const { key } = await createKey(owner, wish, origin)
  bound = await requireCaller(new Request('http://here.example', { headers: { 'x-api-key': key } }))
})
afterAll(() => close())

async function makeThings(name: string): Promise<Things> {
  const { id: projectId } = await createProject(owner, { name, description: '' })
  await addMember(owner, projectId, { user_id: friend.userId, role: 'viewer' }, origin)
  const { id: agentId } = await createAgent(owner, projectId, CreateAgent.parse({ name }))
  const prompt = { title: name, content: '', variables: [] }
  const { id: promptId } = await createPrompt(owner, agentId, prompt)
  const { id: conversationId } = await createConversation(owner, agentId, {})
  const wish = { ...openai, scope: 'project', projectId } as const
  const { id: credentialId } = await createCredential(owner, wish, origin)
  return { projectId, agentId, promptId, conversationId, credentialId, ...(await makeAnswer(conversationId)) }
}

/** A question and an answer that broke off. */
async function makeAnswer(conversationId: string) {
  const [askedId, answerId, replyId] = [newId(), newId(), newId()]
  const message = {
    conversationId,
    status: 'completed',
    text: 'Text',
    parts: [{ type: 'text', text: 'Text' }],
  }
  await db().message.create({ data: { id: askedId, ...message, role: 'user' } })
  const answer = { ...message, status: 'stopped', role: 'assistant', parentId: askedId }
  await db().message.create({ data: { id: answerId, ...answer } })
  const request = { requestId: newId(), requestHash: '', nodeId: 'none', leaseExpiresAt: new Date() }
  const reply = { id: replyId, conversationId, userId: owner.userId, messageId: answerId, ...request }
  await db().reply.create({ data: { ...reply, status: 'stopped', lastSeq: 0 } })
  return { askedId, answerId, replyId }
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'done',
    (error) => asAppError(error).code,
  )
}

type Deed = [name: string, act: (actor: Actor, on: Things) => Promise<unknown>]

const reading: Deed[] = [
  ['reads the project', (actor, { projectId }) => getProject(actor, projectId)],
  ['lists its agents', (actor, { projectId }) => listAgents(actor, projectId)],
  ['lists its members', (actor, { projectId }) => listMembers(actor, projectId)],
  ['reads an agent', (actor, { agentId }) => getAgent(actor, agentId)],
  ['lists its versions', (actor, { agentId }) => listAgentVersions(actor, agentId)],
  ['lists its prompts', (actor, { agentId }) => listPrompts(actor, agentId)],
  ['reads a prompt', (actor, { promptId }) => getPrompt(actor, promptId)],
  ['reads a conversation', (actor, { conversationId }) => getConversationView(actor, conversationId)],
  ['opens its page', (actor, { conversationId }) => getConversationOpening(actor, conversationId)],
  ['finds who answers in it', (actor, { conversationId }) => getAnsweringAgent(actor, conversationId)],
  ['follows an answer', (actor, { replyId }) => followAnswer(actor, replyId, -1)],
  ['stops an answer', (actor, { replyId }) => stopAnswer(actor, replyId)],
  [
    'asks which key serves',
    (actor, { projectId }) => findServingKey(actor, { projectId, provider: 'openai' }),
  ],
  ['asks why', (actor, { agentId }) => explainResolution(actor, { agentId })],
  [
    'is lent a key, twice',
    async (actor, { projectId }) => {
      const want = { projectId, provider: 'openai' } as const
      await withCredential(actor, want, async () => undefined)
      await withCredential(actor, want, async () => undefined)
    },
  ],
]

const changing: Deed[] = [
  ['renames the project', (actor, { projectId }) => updateProject(actor, projectId, { description: 'New' })],
  [
    'makes an agent',
    (actor, { projectId }) => createAgent(actor, projectId, CreateAgent.parse({ name: 'x' })),
  ],
  ['changes an agent', (actor, { agentId }) => updateAgent(actor, agentId, { description: 'New' })],
  ['restores an agent', (actor, { agentId }) => restoreAgentVersion(actor, agentId, 1)],
  [
    'makes a prompt',
    (actor, { agentId }) => createPrompt(actor, agentId, { title: 'x', content: '', variables: [] }),
  ],
  ['changes a prompt', (actor, { promptId }) => updatePrompt(actor, promptId, { title: 'New' })],
  ['opens a conversation', (actor, { agentId }) => createConversation(actor, agentId, {})],
  [
    'renames a conversation',
    (actor, { conversationId }) => updateConversation(actor, conversationId, { title: 'New' }),
  ],
  [
    'changes a member',
    (actor, { projectId }) =>
      updateMember(actor, { projectId, userId: friend.userId }, { role: 'editor' }, origin),
  ],
  [
    'keeps a key for the project',
    (actor, { projectId }) => createCredential(actor, { ...openai, scope: 'project', projectId }, origin),
  ],
  [
    'changes a key of the project',
    (actor, { credentialId }) => updateCredential(actor, credentialId, { label: 'New' }, origin),
  ],
  ['deletes a prompt', (actor, { promptId }) => deletePrompt(actor, promptId)],
  [
    'deletes a key of the project',
    (actor, { credentialId }) => deleteCredential(actor, credentialId, origin),
  ],
  [
    'removes a member',
    (actor, { projectId }) => removeMember(actor, { projectId, userId: friend.userId }, origin),
  ],
]

/** What would have a model answer, or asks a provider: tried where it must not come to that. */
const talking: Deed[] = [
  [
    'sends a message',
    (actor, { conversationId, answerId }) =>
      sendMessage(actor, conversationId, { id: newId(), parent_id: answerId, text: 'More' }, 'request'),
  ],
  [
    'begins a conversation anew',
    (actor, { conversationId }) =>
      sendMessage(actor, conversationId, { id: newId(), parent_id: null, text: 'More' }, 'request'),
  ],
  [
    'has it written anew',
    (actor, { answerId }) => regenerateMessage(actor, answerId, { id: newId() }, 'request'),
  ],
  [
    'edits a message',
    (actor, { askedId }) => editMessage(actor, askedId, { id: newId(), text: 'Else' }, 'request'),
  ],
  [
    'continues an answer',
    (actor, { answerId }) => continueMessage(actor, answerId, { id: newId() }, 'request'),
  ],
  ['tests a key of the project', (actor, { credentialId }) => testCredential(actor, credentialId, origin)],
]

const ending: Deed[] = [
  ['deletes a conversation', (actor, { conversationId }) => deleteConversation(actor, conversationId)],
  ['deletes an agent', (actor, { agentId }) => deleteAgent(actor, agentId, origin)],
  [
    'deletes the project',
    (actor, { projectId }) => deleteProject(actor, projectId, { confirm: 'Here' }, origin),
  ],
]

test('lists show what is in reach, and nothing else', async () => {
  expect((await listProjects(bound)).items.map(({ id }) => id)).toEqual([here.projectId])
  expect((await listConversations(bound, {})).items.map(({ id }) => id)).toEqual([here.conversationId])
  expect((await listCredentials(bound)).map(({ id }) => id)).toEqual([here.credentialId])
  expect((await listLaunchableAgents(bound)).map(({ id }) => id)).toEqual([here.agentId])
  expect((await ensureDefaultAgent(bound)).id).toBe(here.agentId)
  expect((await describeProvider(bound)).configured).toBe(true)
})

test('what belongs to no project, or to everyone, is out of reach, though the owner is an admin', async () => {
  expect(await codeOf(createProject(bound, { name: 'New', description: '' }))).toBe('forbidden')
  for (const scope of ['user', 'global'] as const)
    expect(await codeOf(createCredential(bound, { ...openai, scope }, origin))).toBe('forbidden')
  expect(await codeOf(deleteCredential(bound, ownCredentialId, origin))).toBe('not_found')
  expect(await codeOf(findServingKey(bound, { projectId: null, provider: 'auto' }))).toBe('not_found')
})

describe('elsewhere it is as if nothing were there', () => {
  test.each([...reading, ...changing, ...talking, ...ending])('%s', async (_name, act) => {
    expect(await codeOf(act(bound, there))).toBe('not_found')
  })

  test('also where a key was lent to its owner a moment ago', async () => {
    const want = { projectId: there.projectId, provider: 'openai' } as const
    expect(await withCredential(owner, want, async ({ last4 }) => last4)).toBe('each')
    expect(await codeOf(withCredential(bound, want, async () => undefined))).toBe('not_found')
  })
})

describe('in its project it is its owner', () => {
  test.each([...reading, ...changing, ...ending])('%s', async (_name, act) => {
    expect(await codeOf(act(bound, here))).toBe('done')
  })
})
