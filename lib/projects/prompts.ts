import { v7 as newId } from 'uuid'
import type { Actor } from '../auth'
import type { Listing } from '../contracts/primitives'
import type { CreatePrompt, PromptRecord, UpdatePrompt } from '../contracts/projects'
import { db, type JsonInput } from '../db'
import { after, cursorOf, newestFirst, type PageRequest, readCursor, toListing } from '../paging'
import { changeAgent, changePrompt, memberOf, notFound, requireId } from './access'
import { getAgent } from './agents'
import { toPromptRecord } from './records'

/** Makes a prompt of an agent. Throws not_found, forbidden. */
export async function createPrompt(
  actor: Actor,
  agentId: string,
  input: CreatePrompt,
): Promise<PromptRecord> {
  return changeAgent(actor, agentId, async (tx) => {
    const { title, content, variables } = input
    const prompt = await tx.prompt.create({
      data: {
        id: newId(),
        agentId,
        title,
        content,
        variables: variables as JsonInput,
        createdAt: new Date(),
      },
    })
    return toPromptRecord(prompt)
  })
}

/** The prompts of an agent, newest first. Throws not_found. */
export async function listPrompts(
  actor: Actor,
  agentId: string,
  page: PageRequest = { limit: 100 },
): Promise<Listing<PromptRecord>> {
  await getAgent(actor, agentId)
  const rows = await db().prompt.findMany({
    where: { agentId, agent: { project: memberOf(actor) }, ...after(readCursor(page.cursor)) },
    orderBy: newestFirst,
    take: page.limit + 1,
  })
  return toListing(rows, page.limit, { record: toPromptRecord, cursor: cursorOf })
}

/** A prompt of an agent that the actor may use. Throws not_found. */
export async function getPrompt(actor: Actor, promptId: string): Promise<PromptRecord> {
  const prompt = await db().prompt.findFirst({
    where: { id: requireId(promptId, 'prompt'), agent: { project: memberOf(actor) } },
  })
  if (!prompt) throw notFound('prompt')
  return toPromptRecord(prompt)
}

/** Changes what is given. Throws not_found, forbidden. */
export async function updatePrompt(
  actor: Actor,
  promptId: string,
  input: UpdatePrompt,
): Promise<PromptRecord> {
  return changePrompt(actor, promptId, async (tx) => {
    const { title, content, variables } = input
    const data = { title, content, variables: variables as JsonInput | undefined }
    return toPromptRecord(await tx.prompt.update({ where: { id: promptId }, data }))
  })
}

/** Deletes a prompt. Throws not_found, forbidden. */
export async function deletePrompt(actor: Actor, promptId: string): Promise<void> {
  await changePrompt(actor, promptId, (tx) => tx.prompt.delete({ where: { id: promptId } }))
}
