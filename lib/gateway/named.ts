import type { Actor } from '../auth'
import { AppError } from '../errors'
import type { JsonObject } from './asked'
import { placesIn } from './places'
import type { Question } from './question'
import { findOwnItems, findOwnRow } from './response-rows'
import type { Target } from './targets'
import { asList, isObject } from './translate/json'

/** As many items of one call may be named instead of sent. */
const maxItems = 1000

/**
 * Those of the targets that know what a call names of earlier ones: an earlier response, its items, the containers in
 * which it ran code, a conversation, stores of files. Only its maker can name a response, an item or a container. What was made with a key without AL-Chat can be named by whose key that is
 * alone: a key that is shared would otherwise open what others made with it. Throws invalid_input and not_found, as
 * OpenAI says it.
 */
export async function requireOwnNames(
  actor: Actor,
  { path, body }: Question,
  targets: Target[],
): Promise<Target[]> {
  if (!path.startsWith('/responses')) return targets
  const known = await requireOwnPrevious(actor, body, targets)
  const owned = requireVectorStores(body, requireConversation(body, known))
  return requireOwnItems(actor, body, owned)
}

async function requireOwnPrevious(actor: Actor, body: JsonObject, targets: Target[]): Promise<Target[]> {
  const { previous_response_id: id } = body
  if (typeof id !== 'string') return targets
  const row = await findOwnRow(actor, id)
  if (row === null) throw noPrevious(id)
  const there = targets.filter(({ key }) => key.provider === row.provider && key.baseUrl === row.baseUrl)
  if (there.length === 0) throw noPrevious(id)
  const isMakers = ({ key }: Target) => key.source === row.source && key.credentialId === row.credentialId
  return [...there.filter(isMakers), ...there.filter((target) => !isMakers(target))]
}

function noPrevious(id: string): AppError {
  const message = `Previous response with id '${id.slice(0, 200)}' not found.`
  return new AppError('invalid_input', message, {
    issues: [{ path: 'previous_response_id', message }],
    facts: { code: 'previous_response_not_found' },
  })
}

/** Conversations are made without AL-Chat. */
function requireConversation({ conversation }: JsonObject, targets: Target[]): Target[] {
  const id = isObject(conversation) ? conversation.id : conversation
  if (id === undefined || id === null) return targets
  return requireSome(targets.filter(isOwnOrStateless), () =>
    notFound(`Conversation with id '${String(id).slice(0, 200)}' not found.`, 'conversation'),
  )
}

/** So are stores of files to search. */
function requireVectorStores(body: JsonObject, targets: Target[]): Target[] {
  const [id] = placesIn(body).vectorStores
  if (id === undefined) return targets
  return requireSome(targets.filter(isOwnOrStateless), () =>
    notFound(`Vector store with id '${id.slice(0, 200)}' not found.`, 'tools'),
  )
}

async function requireOwnItems(actor: Actor, body: JsonObject, targets: Target[]): Promise<Target[]> {
  if (targets.every(isOwnOrStateless)) return targets
  const { containers } = placesIn(body)
  const ids = [...new Set([...asList(body.input).flatMap(referredIn), ...containers])]
  if (ids.length > maxItems)
    throw new AppError('invalid_input', `A call can name ${maxItems} items at most.`, {
      issues: [{ path: 'input', message: `At most ${maxItems} items can be named.` }],
    })
  const own = await findOwnItems(actor, ids)
  const strange = ids.find((id) => !own.has(id))
  if (strange === undefined) return targets
  const isContainer = containers.includes(strange)
  return requireSome(targets.filter(isOwnOrStateless), () =>
    notFound(
      `${isContainer ? 'Container' : 'Item'} with id '${strange.slice(0, 200)}' not found.`,
      isContainer ? 'tools' : 'input',
    ),
  )
}

/** Whether all that this key opens at its server is the actor's, or its server keeps nothing to be named. */
function isOwnOrStateless({ key }: Target): boolean {
  return key.source === 'user' || key.provider !== 'openai'
}

function requireSome(targets: Target[], otherwise: () => AppError): Target[] {
  if (targets.length === 0) throw otherwise()
  return targets
}

function notFound(message: string, path: string): AppError {
  return new AppError('not_found', message, { issues: [{ path, message }], facts: { code: null } })
}

/** The id of an item whose content its server is to look up; other items bring their content along. */
function referredIn(item: unknown): string[] {
  if (!isObject(item) || typeof item.id !== 'string') return []
  const { type } = item
  const isReference = type === 'item_reference' || (!type && item.role === undefined)
  const isThought = type === 'reasoning' && typeof item.encrypted_content !== 'string'
  const isImage = type === 'image_generation_call' && typeof item.result !== 'string'
  return isReference || isThought || isImage ? [item.id] : []
}
