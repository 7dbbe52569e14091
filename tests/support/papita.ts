import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

/** How a Papita goes wrong; `normal` answers as the contract says. */
export type PapitaFault =
  | 'normal'
  /** Takes the question and says nothing, or stops in mid-body. */
  | 'hang'
  | 'hang_in_body'
  | 'reset'
  | 'html'
  /** A body without end, and a few bytes that unpack to 20 MB. */
  | 'giant'
  | 'gzip_bomb'
  | { status: number }
  /** Answers so, with status 200. */
  | { body: unknown }
  | { redirect: string }
  | { delayMs: number }

/** One question, as it came. */
type PapitaQuestion = {
  /** `project` (a user in one), `user`, `global`, `health`, or the path of what Papita does not know. */
  about: string
  url: string
  username: string | null
  projectId: string | null
  authorization: string | null
  headers: Record<string, unknown>
}

/** A running Papita. */
export type PapitaServer = {
  /** Without `/api`, such as `http://127.0.0.1:4101`. */
  url: string
  /** Keys by the user's email, by project, and the one for everyone. */
  users: Map<string, string>
  projects: Map<string, string>
  /** Where a project is named, only its keys are looked at, not the user's. */
  habits: { isStrict: boolean }
  global: { key: string | null }
  journal: PapitaQuestion[]
  /** How questions for keys are answered from now on; hanging and resetting are so for its health too. */
  play(fault: PapitaFault): void
  /** What the health says from now on. */
  health: { status: number }
  /** How many bodies without end are still being taken. */
  endless: { open: number }
  /** Stops listening, so that connections are refused, until `listen`. */
  refuse(): Promise<void>
  listen(): Promise<void>
  close(): Promise<void>
}

type Options = {
  port?: number /** The bearer token that is asked for; without it none is. */
  token?: string
}

class Papita {
  readonly users = new Map<string, string>()
  readonly projects = new Map<string, string>()
  readonly global: { key: string | null } = { key: null }
  readonly health = { status: 200 }
  readonly habits = { isStrict: false }
  readonly endless = { open: 0 }
  readonly journal: PapitaQuestion[] = []
  fault: PapitaFault = 'normal'
  readonly #token: string | null

  constructor(token: string | null) {
    this.#token = token
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const question = read(request)
    this.journal.push(question)
    const { fault } = this
    if (fault === 'hang') return
    if (fault === 'reset') response.destroy()
    else if (question.about === 'health') sendJson(response, { status: this.health.status, body: {} })
    else if (typeof fault === 'string') this.#play(fault, question, response)
    else if ('redirect' in fault) response.writeHead(302, { location: fault.redirect }).end()
    else if ('body' in fault) sendJson(response, { status: 200, body: fault.body })
    else if ('status' in fault) sendJson(response, refusal(fault.status))
    else {
      await new Promise((done) => setTimeout(done, fault.delayMs))
      sendJson(response, this.#serve(question))
    }
  }

  #serve(question: PapitaQuestion): Reply {
    if (this.#token !== null && question.authorization !== `Bearer ${this.#token}`) return refusal(401)
    const scope = this.#find(question)
    if (!scope) return refusal(404)
    const { username, projectId } = question
    const credential = { id: 'cred_1', credentialType: 'openai', projectId, username, scope: scope.name }
    const credentials = { ...credential, credentials: { api_key: scope.key } }
    return { status: 200, body: { success: true, credentials } }
  }

  #find({ about, username, projectId }: PapitaQuestion): { name: string; key: string } | null {
    const looksAtUser = about === 'user' || (about === 'project' && !this.habits.isStrict)
    const own = looksAtUser ? this.users.get(username ?? '') : undefined
    if (own !== undefined) return { name: 'user', key: own }
    const shared = about === 'project' ? this.projects.get(projectId ?? '') : undefined
    if (shared !== undefined) return { name: 'project', key: shared }
    return about === 'global' && this.global.key !== null ? { name: 'global', key: this.global.key } : null
  }

  #play(fault: Extract<PapitaFault, string>, question: PapitaQuestion, response: ServerResponse): void {
    if (fault === 'normal') sendJson(response, this.#serve(question))
    if (fault === 'giant') this.#pour(response)
    if (fault === 'html') send(response, 'text/html', '<!doctype html><h1>Sign in to Papita</h1>')
    if (fault === 'hang_in_body') {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{"success":true,"credentials":{')
    }
    if (fault === 'gzip_bomb') {
      response.setHeader('content-encoding', 'gzip')
      send(response, 'application/json', gzipSync(Buffer.alloc(20 * 2 ** 20, ' ')))
    }
  }

  #pour(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' })
    const chunk = Buffer.alloc(16 * 1024, '[')
    const pour = () => {
      while (!response.destroyed && response.write(chunk));
    }
    this.endless.open += 1
    response.on('drain', pour).on('close', () => {
      this.endless.open -= 1
    })
    pour()
  }
}

function read({ url = '/', headers }: IncomingMessage): PapitaQuestion {
  const { pathname, searchParams } = new URL(url, 'http://papita')
  const known: Record<string, string> = {
    '/api/credentials': searchParams.has('projectId') ? 'project' : 'user',
    '/api/credentials/global/openai': 'global',
    '/api/health': 'health',
  }
  return {
    about: known[pathname] ?? pathname,
    url,
    username: searchParams.get('username'),
    projectId: searchParams.get('projectId'),
    authorization: headers.authorization ?? null,
    headers,
  }
}

type Reply = { status: number; body: unknown }
const refusal = (status: number): Reply => ({ status, body: { success: false, error: 'So it is.' } })

function sendJson(response: ServerResponse, { status, body }: Reply): void {
  response.statusCode = status
  send(response, 'application/json', JSON.stringify(body))
}

function send(response: ServerResponse, type: string, body: string | Buffer): void {
  response.setHeader('content-type', type).setHeader('content-length', Buffer.byteLength(body))
  response.end(body)
}

/** Starts a Papita on 127.0.0.1 that keeps keys of users, of projects and for everyone, and can go wrong in every way. */
export async function startPapita({ port = 0, token }: Options = {}): Promise<PapitaServer> {
  const papita = new Papita(token ?? null)
  const server = createServer((request, response) => void papita.answer(request, response))
  const listen = (on: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(on, '127.0.0.1', resolve)
    })
  await listen(port)
  const taken = (server.address() as AddressInfo).port
  const refuse = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  const { users, projects, habits, global, journal, health, endless } = papita
  return {
    ...{ url: `http://127.0.0.1:${taken}`, users, projects, habits, global, journal, health, endless },
    play: (fault) => {
      papita.fault = fault
    },
    refuse,
    listen: () => listen(taken),
    close: refuse,
  }
}

/** Has this process forget all that it knows of Papita, as a new one would. */
export function forgetKnownPapita(): void {
  const { __alChat: known } = globalThis as typeof globalThis & { __alChat?: Map<string, unknown> }
  for (const name of ['vault.papita', 'vault.papita.look']) known?.delete(name)
}

/** What Papita was asked about, in order. */
export function askedAbout({ journal }: PapitaServer): string[] {
  return journal.map(({ about }) => about)
}
