import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { sql } from '@/lib/db'
import type { Call } from '../../lib/gateway/call'
import type { OpenBill } from '../../lib/gateway/response-rows'
import { RunLog } from '../../lib/gateway/run-log'
import {
  endRun,
  insertEvents,
  insertRun,
  isUnderWay,
  type KeptEvent,
  markStarted,
  readEvents,
  renewRuns,
  requestCancel,
  sweepEvents,
  takeOverRuns,
} from '../../lib/gateway/run-rows'
import type { Target } from '../../lib/gateway/targets'
import { makeActor, openLibrary } from '../support/library'

/* The rows of responses that are made here in the background, and the log that writes their events down. */

let close: () => Promise<void>
let ada: Actor
let count = 0

beforeAll(async () => {
  close = await openLibrary()
  ada = await makeActor('ada')
})
beforeEach(() => sql`DELETE FROM gateway_responses`)
afterAll(() => close())

const eventOf = (seq: number): KeptEvent => ({ seq, type: 'response.test', data: `{"n":${seq}}` })
const eventsFrom = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => eventOf(from + index))

async function begin(): Promise<string> {
  const id = `resp_${++count}`
  const call = { actor: ada, question: { want: { projectId: null, provider: 'any' } } } as unknown as Call
  const key = {
    provider: 'openai-compatible',
    source: 'environment',
    credentialId: null,
    baseUrl: 'http://x',
  }
  const target = { key, model: 'llama' } as unknown as Target
  const response = { id, status: 'queued', output: [] }
  const bill = { estimatedInput: 3 } as OpenBill
  const items = [{ type: 'message' }]
  await insertRun(call, target, {
    id,
    response,
    items,
    previousId: null,
    isStream: true,
    bill,
    events: eventsFrom(0, 1),
  })
  return id
}

const giveTo = (id: string, node: string, leaseMs: number) => sql`
  UPDATE gateway_responses SET node_id = ${node}, lease_expires_at = now() + ${leaseMs}::int * interval '1 millisecond'
  WHERE id = ${id}`
const all = (id: string) => readEvents(id, -1, 1000)

describe('rows', () => {
  test('events are read after any number, a page at a time', async () => {
    const id = await begin()
    expect(await insertEvents(id, eventsFrom(2, 20))).toBe(true)
    for (let after = -1; after <= 21; after++) {
      const rest = eventsFrom(0, 20).slice(after + 1)
      expect(await readEvents(id, after, 7)).toEqual(rest.slice(0, 7))
    }
  })

  test('who was taken for dead writes nothing any more, neither events nor an end', async () => {
    const id = await begin()
    await giveTo(id, 'another-server', 30_000)
    const failed = { id, status: 'failed' }
    expect(await markStarted(id, { id, status: 'in_progress' })).toBe(false)
    expect(await insertEvents(id, eventsFrom(2, 3))).toBe(false)
    expect(await endRun(id, failed, [eventOf(2)])).toBe(false)
    expect(await renewRuns([id])).toEqual([])
    expect(await all(id)).toEqual(eventsFrom(0, 1))
    expect(await isUnderWay(id)).toBe(true)
  })

  test('one is taken over when its lease has run out, once, with what is owed for it', async () => {
    const [lost, held] = [await begin(), await begin()]
    await giveTo(lost, 'another-server', -1)
    await giveTo(held, 'another-server', 30_000)
    // What we are at work on ourselves is not lost, though its lease was not renewed in time.
    expect(await takeOverRuns(20, [lost])).toEqual([])
    const taken = await Promise.all([takeOverRuns(20, []), takeOverRuns(20, []), takeOverRuns(20, [])])
    expect(taken.flat()).toMatchObject([{ id: lost, bill: { estimatedInput: 3 }, isCancelled: false }])
    expect(await insertEvents(lost, [eventOf(2)])).toBe(true)
  })

  test('its end comes once, with its last event, and keeps what it was asked', async () => {
    const id = await begin()
    const response = { id, status: 'completed', output: [] }
    const ends = await Promise.all(Array.from({ length: 5 }, () => endRun(id, response, [eventOf(2)])))
    expect(ends.filter(Boolean)).toHaveLength(1)
    expect(await all(id)).toEqual(eventsFrom(0, 2))
    expect(await insertEvents(id, [eventOf(3)])).toBe(false)
    const [row] = await sql<{ items: unknown; bill: unknown }>`
      SELECT input AS items, bill FROM gateway_responses WHERE id = ${id}`
    expect(row).toEqual({ items: [{ type: 'message' }], bill: null })
    await requestCancel(id)
    expect(await isUnderWay(id)).toBe(false)
  })

  test('word of a cancellation reaches whoever makes it', async () => {
    const id = await begin()
    expect(await renewRuns([id])).toEqual([{ id, isCancelled: false }])
    await requestCancel(id)
    expect(await renewRuns([id])).toEqual([{ id, isCancelled: true }])
  })

  test('events go some time after the end, and the response stays', async () => {
    const [old, fresh, running] = [await begin(), await begin(), await begin()]
    for (const id of [old, fresh]) await endRun(id, { id, status: 'completed' }, [])
    await sql`
      UPDATE gateway_responses SET lease_expires_at = now() - interval '11 minutes'
      WHERE id = ${old} OR id = ${running}`
    await sweepEvents(600_000)
    expect(await all(old)).toEqual([])
    for (const id of [fresh, running]) expect(await all(id)).toEqual(eventsFrom(0, 1))
    const [row] = await sql<{ body: unknown }>`SELECT body FROM gateway_responses WHERE id = ${old}`
    expect(row?.body).toEqual({ id: old, status: 'completed' })
  })
})

describe('the log', () => {
  test('tells nothing that is not committed, and all of it in order', async () => {
    const id = await begin()
    const log = new RunLog(id, () => {
      throw new Error('lost')
    })
    log.tell(eventsFrom(0, 1))
    const seen: number[] = []
    const reading = (async () => {
      while (seen.length < 300) {
        const changed = log.changed
        const told = log.after(seen.at(-1) ?? 1)
        if (told === null) throw new Error('a gap')
        const kept = new Set((await all(id)).map(({ seq }) => seq))
        for (const { seq } of told) {
          expect(kept.has(seq)).toBe(true)
          seen.push(seq)
        }
        if (told.length === 0) await changed
      }
    })()
    for (let seq = 2; seq < 302; seq += 3) {
      await log.append(eventsFrom(seq, seq + 2))
      if (seq % 5 === 0) await new Promise((done) => setTimeout(done, 5))
    }
    await log.flush()
    await reading
    expect(seen).toEqual(eventsFrom(2, 301).map(({ seq }) => seq))
    expect(await all(id)).toEqual(eventsFrom(0, 301))
  })

  test('says so, once, where the response is another server’s by now', async () => {
    const id = await begin()
    let lost = 0
    const log = new RunLog(id, () => {
      lost += 1
    })
    await giveTo(id, 'another-server', 30_000)
    await log.append([eventOf(2)])
    await log.flush()
    await log.append([eventOf(3)])
    await log.flush()
    expect([lost, log.after(1)]).toEqual([1, null])
    expect(await all(id)).toEqual(eventsFrom(0, 1))
  })

  test('keeps what was told last at hand, however much there was', async () => {
    const log = new RunLog(await begin(), () => undefined)
    const long = (seq: number) => ({ ...eventOf(seq), data: 'x'.repeat(10_000) })
    for (let seq = 0; seq < 100; seq++) log.tell([long(seq)])
    expect(log.after(0)).toBeNull()
    expect(log.after(97)?.map(({ seq }) => seq)).toEqual([98, 99])
    expect(log.after(99)).toEqual([])
    let at = 99
    while (log.after(at - 1) !== null) at -= 1
    expect(100 - at).toBeLessThan(30)
  })
})
