import type { Actor } from '../auth'
import { AppError } from '../errors'
import type { JsonObject } from './asked'
import { type Kind, type Name, namesIn } from './names'
import type { Question } from './question'
import { findOwnItems, findOwnRow } from './response-rows'
import type { Target } from './targets'

/** So many things one call may name. */
const maxNames = 1000

/** What comes of calls through AL-Chat, so that it is known whose it is; all else is made without. */
const known = new Set<Kind>(['Response', 'Item', 'Container'])

/**
 * Those of the targets that know what a call names of earlier ones: an earlier response, its items, the containers in
 * which it ran code, and what was made without AL-Chat, such as a conversation, a stored prompt or a store of files.
 * Only its maker can name a response, an item or a container, and only where it was made. The rest can be named with a
 * key that is the caller's alone: one that is shared would otherwise open what others made with it. Throws
 * invalid_input and not_found, as OpenAI says it.
 */
export async function requireOwnNames(
  actor: Actor,
  { path, body }: Question,
  targets: Target[],
): Promise<Target[]> {
  const there = path.startsWith('/responses') ? await requireOwnPrevious(actor, body, targets) : targets
  if (there.every(isOwnOrStateless)) return there
  const names = namesIn(path, body)
  if (names.length > maxNames)
    throw new AppError('invalid_input', `A call can name ${maxNames} items at most.`, {
      issues: [{ path: 'input', message: `At most ${maxNames} items can be named.` }],
    })
  const strange = await Promise.all(there.map((target) => findStrange(actor, target, names)))
  const knowing = there.filter((_, index) => strange[index] === undefined)
  if (knowing.length === 0 && strange[0]) throw noSuch(strange[0])
  return knowing
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

/** The first of the names that is not the actor's at this target. */
async function findStrange(actor: Actor, target: Target, names: Name[]): Promise<Name | undefined> {
  if (isOwnOrStateless(target)) return undefined
  const { key } = target
  const ids = names.filter(({ kind }) => known.has(kind)).map(({ id }) => id)
  const own = await findOwnItems(actor, key, ids)
  const compared = names.find(({ kind }) => kind === 'Response')
  const row = compared ? await findOwnRow(actor, compared.id) : null
  if (row?.provider === key.provider && row.baseUrl === key.baseUrl) own.add(row.id)
  return names.find(({ kind, id }) => !known.has(kind) || !own.has(id))
}

/** Whether all that this key opens at its server is the actor's, or its server keeps nothing to be named. */
function isOwnOrStateless({ key }: Target): boolean {
  return key.source === 'user' || key.provider !== 'openai'
}

function noSuch({ kind, id, field }: Name): AppError {
  const message = `${kind} with id '${id.slice(0, 200)}' not found.`
  return new AppError('not_found', message, { issues: [{ path: field, message }], facts: { code: null } })
}
