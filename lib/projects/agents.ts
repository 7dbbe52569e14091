import { isDeepStrictEqual } from 'node:util'
import { v7 as newId } from 'uuid'
import { recordAudit } from '../audit'
import { type Actor, announceAccessChange, type Origin } from '../auth'
import type { Listing } from '../contracts/primitives'
import type {
  AgentRecord,
  AgentSettings,
  AgentVersionRecord,
  CreateAgent,
  UpdateAgent,
} from '../contracts/projects'
import { db, type JsonInput, type Transaction } from '../db'
import {
  after,
  cursorOf,
  newestFirst,
  type PageRequest,
  readCursor,
  readVersionCursor,
  toListing,
  writeVersionCursor,
} from '../paging'
import { changeAgent, changeProject, memberOf, notFound, requireId } from './access'
import { toAgentRecord, toColumns, toSettings, toVersionRecord } from './records'
import { getProject } from './single'

/** Makes an agent, version 1. Throws not_found, forbidden. */
export async function createAgent(actor: Actor, projectId: string, input: CreateAgent): Promise<AgentRecord> {
  return changeProject(actor, projectId, 'editor', (tx) => insertAgent(tx, actor, projectId, input))
}

/** Writes a new agent and its first version. */
export async function insertAgent(
  tx: Transaction,
  actor: Actor,
  projectId: string,
  settings: AgentSettings,
): Promise<AgentRecord> {
  const agent = await tx.agent.create({
    data: { id: newId(), projectId, ...toColumns(settings), createdAt: new Date() },
  })
  await writeVersion(tx, actor, agent.id, { version: 1, settings })
  return toAgentRecord(agent)
}

/** The agents of a project, newest first. Throws not_found. */
export async function listAgents(
  actor: Actor,
  projectId: string,
  page: PageRequest = { limit: 100 },
): Promise<Listing<AgentRecord>> {
  await getProject(actor, projectId)
  const rows = await db().agent.findMany({
    where: { projectId, project: memberOf(actor), ...after(readCursor(page.cursor)) },
    orderBy: newestFirst,
    take: page.limit + 1,
  })
  return toListing(rows, page.limit, { record: toAgentRecord, cursor: cursorOf })
}

/** An agent of a project that the actor is a member of. Throws not_found. */
export async function getAgent(actor: Actor, agentId: string): Promise<AgentRecord> {
  const agent = await db().agent.findFirst({
    where: { id: requireId(agentId, 'agent'), project: memberOf(actor) },
  })
  if (!agent) throw notFound('agent')
  return toAgentRecord(agent)
}

/** Changes settings and keeps them as a new version; settings that are the same already make none. Throws not_found, forbidden. */
export async function updateAgent(actor: Actor, agentId: string, input: UpdateAgent): Promise<AgentRecord> {
  return changeAgent(actor, agentId, async (tx) => {
    const agent = await tx.agent.findUniqueOrThrow({ where: { id: agentId } })
    const given = Object.entries(input).filter(([, value]) => value !== undefined)
    const settings: AgentSettings = { ...toSettings(agent), ...Object.fromEntries(given) }
    if (isDeepStrictEqual(settings, toSettings(agent))) return toAgentRecord(agent)
    return applySettings(tx, actor, agent, settings)
  })
}

/** What is said of an agent that goes, and whom it is shared with. */
const goingWithAgent = {
  name: true,
  projectId: true,
  _count: { select: { conversations: true } },
  project: { select: { members: { select: { userId: true } } } },
} as const

/** Deletes an agent with its versions, prompts and conversations. Throws not_found, forbidden. */
export async function deleteAgent(actor: Actor, agentId: string, origin: Origin): Promise<void> {
  const { ip, requestId } = origin
  const { project } = await changeAgent(actor, agentId, async (tx) => {
    const agent = await tx.agent.findUniqueOrThrow({ where: { id: agentId }, select: goingWithAgent })
    const { name, projectId, _count } = agent
    const detail = { name, projectId, conversations: _count.conversations }
    const { userId: actorId, keyId } = actor
    await recordAudit({ actorId, keyId, action: 'agent.delete', target: agentId, ip, requestId, detail }, tx)
    await tx.agent.delete({ where: { id: agentId } })
    return agent
  })
  for (const { userId } of project.members) announceAccessChange(userId)
}

/** The versions of an agent, newest first. Throws not_found. */
export async function listAgentVersions(
  actor: Actor,
  agentId: string,
  page: PageRequest = { limit: 100 },
): Promise<Listing<AgentVersionRecord>> {
  await getAgent(actor, agentId)
  const before = readVersionCursor(page.cursor)
  const rows = await db().agentVersion.findMany({
    where: {
      agentId,
      agent: { project: memberOf(actor) },
      ...(before !== null && { version: { lt: before } }),
    },
    orderBy: { version: 'desc' },
    take: page.limit + 1,
  })
  return toListing(rows, page.limit, {
    record: toVersionRecord,
    cursor: ({ version }) => writeVersionCursor(version),
  })
}

/** Makes a new version with the settings of an old one. Throws not_found, forbidden. */
export async function restoreAgentVersion(
  actor: Actor,
  agentId: string,
  version: number,
): Promise<AgentRecord> {
  return changeAgent(actor, agentId, async (tx) => {
    const agent = await tx.agent.findUniqueOrThrow({ where: { id: agentId } })
    const old = await tx.agentVersion.findUnique({ where: { agentId_version: { agentId, version } } })
    if (!old) throw notFound('version of this agent')
    return applySettings(tx, actor, agent, toVersionRecord(old).settings)
  })
}

async function applySettings(
  tx: Transaction,
  actor: Actor,
  agent: { id: string; version: number },
  settings: AgentSettings,
): Promise<AgentRecord> {
  const version = agent.version + 1
  const row = await tx.agent.update({ where: { id: agent.id }, data: { ...toColumns(settings), version } })
  await writeVersion(tx, actor, agent.id, { version, settings })
  return toAgentRecord(row)
}

async function writeVersion(
  tx: Transaction,
  actor: Actor,
  agentId: string,
  { version, settings }: { version: number; settings: AgentSettings },
): Promise<void> {
  await tx.agentVersion.create({
    data: { agentId, version, settings: settings as JsonInput, createdBy: actor.userId },
  })
}
