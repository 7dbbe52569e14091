import { v7 as newId } from 'uuid'
import { followToEnd } from './chat'
import { type Answer, Client, type Json, password, signUp } from './client'
import { upload } from './files'

/** Who calls: three members of a project by their roles, someone else, an admin who is no member, and nobody. */
export const callers = ['anonymous', 'stranger', 'viewer', 'editor', 'owner', 'admin'] as const
export type Caller = (typeof callers)[number]

type Person = Client & { email: string; userId: string }
export type People = Record<Exclude<Caller, 'anonymous'>, Person>

/** Makes the accounts of a new server; the first is the admin's. */
export async function gather(url: string): Promise<People> {
  const admin = await signUp(url, 'admin')
  const [stranger, viewer, editor, owner] = await Promise.all(
    ['stranger', 'viewer', 'editor', 'owner'].map((name) => signUp(url, name)),
  )
  if (!stranger || !viewer || !editor || !owner) throw new Error('someone is missing')
  return { admin, stranger, viewer, editor, owner }
}

/** The owner's things that one call is about, each made when it is first asked for; new ones for every call. */
export class World {
  readonly people: People
  readonly caller: Caller
  #projectId: Promise<string> | undefined
  #reply: Promise<Opened> | undefined

  constructor(people: People, caller: Caller) {
    this.people = people
    this.caller = caller
  }

  /** The account that a call of `anonymous` would be about is the owner's. */
  get me(): Person {
    return this.people[this.caller === 'anonymous' ? 'owner' : this.caller]
  }

  /** The owner's project, in which viewer and editor have their roles. */
  project(): Promise<string> {
    this.#projectId ??= this.#makeProject()
    return this.#projectId
  }

  async agent(): Promise<string> {
    const path = `/api/projects/${await this.project()}/agents`
    // Without a key this agent's answers fail at once, which ends their streams.
    return this.#make(path, { name: 'Agent', model_provider: 'openai' })
  }

  async prompt(): Promise<string> {
    return this.#make(`/api/agents/${await this.agent()}/prompts`, { title: 'Prompt', content: 'Text' })
  }

  async conversation(): Promise<string> {
    return (await this.reply()).conversationId
  }

  /** A message of the owner's, its answer and the ended reply. */
  reply(): Promise<Opened> {
    this.#reply ??= this.#openReply()
    return this.#reply
  }

  /** A key in the vault: the owner's, the project's or, kept by the admin, everyone's. */
  async credential(scope: 'user' | 'project' | 'global'): Promise<string> {
    const body = {
      scope,
      credentialType: 'openai',
      // Nobody listens there: a test of this key is refused at once.
      baseUrl: 'http://127.0.0.1:9/v1',
      credentials: { api_key: 'sk-test-of-the-matrix' },
      ...(scope === 'project' && { projectId: await this.project() }),
    }
    return this.#make('/api/credentials', body, scope === 'global' ? this.people.admin : this.people.owner)
  }

  /** A key for programs, the owner's. */
  async apiKey(): Promise<string> {
    return this.#make('/api/keys', { name: 'Key', scopes: ['chat'] })
  }

  /** A file of the owner's, private or shared with the project. */
  async file(isShared = false): Promise<string> {
    const fields: Record<string, string> = isShared ? { project_id: await this.project() } : {}
    return String((await expectMade(upload(this.people.owner, 'file.txt', 'A text', fields))).id)
  }

  /** A session of the owner's with a chat, which is open. */
  async chatSession(): Promise<string> {
    return String((await expectMade(this.people.owner.post('/api/session/start'))).session_id)
  }

  /** Another device of the owner's. */
  async session(): Promise<{ id: string; token: string }> {
    const { owner } = this.people
    const { body } = await new Client(owner.url).post('/api/auth/login', { email: owner.email, password })
    const device = new Client(owner.url, String(body.token))
    const sessions = (await device.get('/api/auth/sessions')).body.items as unknown as Json[]
    return {
      id: String(sessions.find(({ current }) => Boolean(current))?.id),
      token: String(body.token),
    }
  }

  /** An account that nobody uses. */
  async account(): Promise<string> {
    const { userId } = await signUp(this.people.admin.url, 'unused')
    return `/api/admin/users/${userId}`
  }

  /** An invitation that nobody has used yet. */
  async invitation(): Promise<string> {
    const path = '/api/admin/users/invite'
    return `${path}/${await this.#make(path, { email: `${newId()}@example.com` }, this.people.admin)}`
  }

  async #makeProject(): Promise<string> {
    const { viewer, editor } = this.people
    const id = await this.#make('/api/projects', { name: 'Project' })
    for (const [{ userId }, role] of [
      [viewer, 'viewer'],
      [editor, 'editor'],
    ] as const) {
      await expectMade(this.people.owner.post(`/api/projects/${id}/members`, { user_id: userId, role }))
    }
    return id
  }

  async #openReply(): Promise<Opened> {
    const { owner } = this.people
    const talk = await expectMade(owner.post(`/api/agents/${await this.agent()}/conversations`, {}))
    const conversationId = String(talk.conversation?.id)
    const message = { id: newId(), parent_id: null, text: 'Hello' }
    const { reply } = await expectMade(owner.post(`/api/conversations/${conversationId}/messages`, message))
    await followToEnd(owner, String(reply?.events_url))
    return {
      conversationId,
      messageId: message.id,
      answerId: String(reply?.message_id),
      id: String(reply?.id),
    }
  }

  async #make(path: string, body: object, by = this.people.owner): Promise<string> {
    return String((await expectMade(by.post(path, body))).id)
  }
}

type Opened = { conversationId: string; messageId: string; answerId: string; id: string }

async function expectMade(call: Promise<Answer>): Promise<Json> {
  const { status, text, body } = await call
  if (status >= 300) throw new Error(`${status}: ${text}`)
  return body
}
