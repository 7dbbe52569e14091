import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from '../db'
import { env } from '../env'
import { log } from '../log'
import { parseJson } from '../providers'
import { remember } from '../remember'
import { holdUse } from '../usage'
import { itemIdsOf } from './items'
import { askHolder, findKeyFor } from './keyholder'
import { nodeId } from './node'
import { estimateOutput, readEnd, settleOpen } from './open-bills'
import { insertItemRows, leaseMs, type OpenBill, type ResponseRow } from './response-rows'
import { asObject } from './translate/json'

const firstWaitMs = 1000
const longestWaitMs = 15_000
const growth = 1.5
const renewEveryMs = 10_000
const longestAskMs = 60_000
/** As many are taken over at once. */
const maxTaken = 100

/** Asks after the responses in the background whose use is told only at their end, until it is. */
class Watch {
  readonly #ended = new AbortController()
  readonly #watched = new Map<string, Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #turn: Promise<void> | null = null

  /** `isAlone`: no other server uses the database, so that what is under way there is nobody's. */
  async start(isAlone: boolean): Promise<void> {
    if (isAlone) await sql`UPDATE gateway_responses SET lease_expires_at = now() WHERE status = 'pending'`
    await this.#takeOver()
    this.#timer = setInterval(() => {
      this.#turn ??= this.#look().finally(() => {
        this.#turn = null
      })
    }, renewEveryMs).unref()
  }

  /** Ends the asking; what was asked after is left to the next one. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#ended.abort()
    await this.#turn
    await Promise.all(this.#watched.values())
    await sql`
      UPDATE gateway_responses SET lease_expires_at = now() WHERE status = 'pending' AND node_id = ${nodeId()}`
  }

  watch(id: string): void {
    if (this.#watched.has(id) || this.#ended.signal.aborted) return
    const watching = this.#askUntilOver(id)
      .catch((err) =>
        log().warn({ err, responseId: id }, 'a response in the background is not asked after now'),
      )
      .finally(() => this.#watched.delete(id))
    this.#watched.set(id, watching)
  }

  /** Its end has been heard of: asks at once, whoever else does. */
  async askNow(id: string): Promise<void> {
    if (!this.#ended.signal.aborted) await this.#isOver(id)
  }

  async #look(): Promise<void> {
    try {
      const ids = [...this.#watched.keys()]
      await sql`
        UPDATE gateway_responses SET lease_expires_at = now() + ${leaseMs}::int * interval '1 millisecond'
        WHERE id = ANY(${ids}::text[]) AND status = 'pending' AND node_id = ${nodeId()}`
      await this.#takeOver()
    } catch (err) {
      log().warn({ err }, 'responses in the background could not be looked after')
    }
  }

  async #takeOver(): Promise<void> {
    const taken = await sql<{ id: string; bill: OpenBill | null }>`
      UPDATE gateway_responses
      SET node_id = ${nodeId()}, lease_expires_at = now() + ${leaseMs}::int * interval '1 millisecond'
      WHERE id IN (
        SELECT id FROM gateway_responses WHERE status = 'pending' AND lease_expires_at <= now()
        ORDER BY lease_expires_at LIMIT ${maxTaken}::int FOR UPDATE SKIP LOCKED)
      RETURNING id, bill`
    await holdUse(taken.flatMap(({ bill }) => bill?.bill.reservation?.id ?? []))
    for (const { id } of taken) this.watch(id)
  }

  async #askUntilOver(id: string): Promise<void> {
    const { signal } = this.#ended
    for (let waitMs = firstWaitMs; !signal.aborted; waitMs = Math.min(longestWaitMs, waitMs * growth)) {
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined)
      if (signal.aborted || (await this.#isOver(id))) return
    }
  }

  /** Asks once; true if nothing is left to ask. */
  async #isOver(id: string): Promise<boolean> {
    try {
      const row = await findPending(id)
      if (row === null) return true
      const said = await this.#ask(row)
      const end = said && readEnd(said)
      if (said && end) {
        await insertItemRows(id, itemIdsOf(said), row)
        return await settleOpen(id, end)
      }
      if (Date.now() - row.createdAt.getTime() < env().PROVIDER_TIMEOUTS.totalMs) return false
      const outputTokens = said ? estimateOutput(said) : 0
      return await settleOpen(id, { usage: null, outcome: 'interrupted', outputTokens })
    } catch (err) {
      if (!this.#ended.signal.aborted)
        log().warn({ err, responseId: id }, 'a response in the background could not be asked after')
      return false
    }
  }

  /** The response as its server tells it; null where it cannot be asked now. One that is gone has failed. */
  async #ask(row: PendingRow) {
    const key = await findKeyFor(row)
    if (key === null) return null
    const path = `/responses/${encodeURIComponent(row.id)}`
    const signal = AbortSignal.any([this.#ended.signal, AbortSignal.timeout(longestAskMs)])
    const { status, text } = await askHolder({ key, method: 'GET', path, signal })
    if (status === 404) return { status: 'cancelled' }
    return status === 200 ? asObject(parseJson(text)) : null
  }
}

type PendingRow = Parameters<typeof findKeyFor>[0] & Pick<ResponseRow, 'id'> & { createdAt: Date }

async function findPending(id: string): Promise<PendingRow | null> {
  const [row] = await sql<PendingRow>`
    SELECT id, user_id AS "userId", project_id AS "boundTo", provider, source, credential_id AS "credentialId",
      base_url AS "baseUrl", coalesce(keys_of, project_id) AS "projectId", created_at AS "createdAt"
    FROM gateway_responses WHERE id = ${id} AND status = 'pending'`
  return row ?? null
}

const theWatch = () => remember('gateway.watch', () => new Watch())

/** Has a response asked after until its use is known and written down. */
export function watchResponse(id: string): void {
  theWatch().watch(id)
}

/** Asks at once, when its end has been heard of. Never throws. */
export function hurryWatch(id: string): Promise<void> {
  return theWatch().askNow(id)
}

/** At start: goes on with what was under way when a server ended. */
export function startWatch(isAlone: boolean): Promise<void> {
  return theWatch().start(isAlone)
}

/** At the end. */
export function stopWatch(): Promise<void> {
  return theWatch().stop()
}
