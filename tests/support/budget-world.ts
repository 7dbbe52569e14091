import fc from 'fast-check'
import type { BudgetPeriod } from '../../lib/contracts/keys'
import { db } from '../../lib/db'
import {
  type Reservation,
  recordUsage,
  releaseUse,
  reserveUse,
  sweepReservations,
  type UsageRecord,
} from '../../lib/usage'
import { ageKey, findMeterFaults, type KeyActor, makeKeyActor, usageOf, wishFor } from './budget'
import type { BudgetNode } from './budget-node'

/** One thing that happens; calls are counted round. */
export type Deed =
  | { do: 'reserve'; node: number; inputTokens: number; outputTokens: number | null }
  | { do: 'settle'; node: number; call: number; share: number }
  | { do: 'release'; node: number; call: number }
  | { do: 'use'; node: number; outputTokens: number }
  | { do: 'sweep'; node: number }
/** What happens at once, and then what nothing else happens beside. */
type Round = { deeds: Deed[]; then: 'nothing' | 'crash' | 'next period' | 'other period' }
export type Schedule = { budgetUsd: string; period: 'day' | 'month'; rounds: Round[] }

const node = fc.nat(1)
const call = fc.nat(30)
const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('reserve' as const),
      node,
      inputTokens: fc.constantFrom(10, 2000, 50_000),
      outputTokens: fc.constantFrom(null, 0, 700, 5000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      node,
      call,
      share: fc.constantFrom(0, 0.5, 1),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), node, call }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('use' as const), node, outputTokens: fc.constantFrom(1, 900) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sweep' as const), node }) },
)
const then = fc.constantFrom('nothing', 'nothing', 'nothing', 'crash', 'crash', 'next period', 'other period')
const round: fc.Arbitrary<Round> = fc.record({ deeds: fc.array(deed, { minLength: 1, maxLength: 10 }), then })

export const schedules: fc.Arbitrary<Schedule> = fc.record({
  budgetUsd: fc.constantFrom('0.004', '0.02', '0.1'),
  period: fc.constantFrom('day', 'month'),
  rounds: fc.array(round, { minLength: 1, maxLength: 12 }),
})

/** A call that was let in. */
type Call = {
  reservation: Reservation
  node: number
  most: { inputTokens: number; outputTokens: number }
  fate: Fate
  /** How often it was said to be written down for the first time. */
  written: number
}
/** lost: its server is gone; given back by whoever sweeps, unless it turns out to go on. */
type Fate = 'open' | 'lost' | 'settled' | 'released'

/** Two servers, one of them in a process of its own, with one key. */
export class BudgetWorld {
  readonly story: string[] = []
  readonly #calls: Call[] = []
  /** What came without a reservation, or after it was taken for lost: no budget foresees it. */
  #unforeseenUsd = 0
  #period: BudgetPeriod
  readonly #other: BudgetNode
  readonly #schedule: Schedule
  #key: KeyActor | null = null

  constructor(other: BudgetNode, schedule: Schedule) {
    this.#other = other
    this.#schedule = schedule
    this.#period = schedule.period
  }

  /** Plays the schedule, looking at everything after each round. Throws what is wrong, with all that happened. */
  async run(): Promise<void> {
    const { budgetUsd, period, rounds } = this.#schedule
    this.#key = await makeKeyActor({ budgetUsd, budgetPeriod: period })
    for (const { deeds, then } of rounds) {
      await Promise.all(deeds.map((one) => this.#act(one)))
      if (then === 'crash') await this.#crash()
      if (then === 'next period') await ageKey(this.#actor, period)
      if (then === 'other period') this.#period = this.#period === 'total' ? period : 'total'
      this.story.push(then)
      await this.#check()
    }
    await this.#end()
  }

  get #actor(): KeyActor {
    if (!this.#key) throw new Error('There is no key yet.')
    return { ...this.#key, policy: { ...this.#key.policy, budgetPeriod: this.#period } }
  }

  async #act(deed: Deed): Promise<void> {
    const said = await this.#do(deed)
    this.story.push(`${JSON.stringify(deed)}: ${said}`)
  }

  #do(deed: Deed): Promise<string> {
    if (deed.do === 'reserve') return this.#reserve(deed)
    if (deed.do === 'settle') return this.#settle(deed)
    if (deed.do === 'release') return this.#release(deed)
    if (deed.do === 'use') return this.#use(deed)
    return this.#sweep(deed.node)
  }

  async #reserve({ node, inputTokens, outputTokens }: Extract<Deed, { do: 'reserve' }>): Promise<string> {
    const wish = wishFor({ inputTokens, outputTokens, likelyTokens: inputTokens / 5 + (outputTokens ?? 0) })
    const actor = this.#actor
    try {
      const reservation =
        node === 0
          ? await reserveUse(actor, wish)
          : await this.#other.ask<Reservation>({ do: 'reserve', actor, wish })
      if (!reservation) throw new Error('The key is limited, and was not.')
      const most = { inputTokens, outputTokens: outputTokens ?? reservation.outputTokens ?? 128_000 }
      const openedAt = new Date(reservation.openedAt)
      this.#calls.push({ reservation: { ...reservation, openedAt }, node, most, fate: 'open', written: 0 })
      return 'let in'
    } catch (error) {
      if ((error as { code?: string }).code !== 'budget_exceeded') throw error
      return 'refused'
    }
  }

  #find(call: number, node: number): Call | undefined {
    const own = this.#calls.filter((one) => one.node === node && one.fate !== 'released')
    return own[call % own.length]
  }

  /** Of calls that were settled before, too: that changes nothing. */
  async #settle({ node, call, share }: Extract<Deed, { do: 'settle' }>): Promise<string> {
    const found = this.#find(call, node)
    if (!found) return 'none'
    const before = found.fate
    found.fate = 'settled'
    const { inputTokens, outputTokens } = found.most
    const used = {
      inputTokens: Math.floor(inputTokens * share),
      outputTokens: Math.floor(outputTokens * share),
    }
    if (before === 'lost') this.#unforeseenUsd += (used.inputTokens * 0.25 + used.outputTokens * 2) / 1e6
    if (await this.#record(node, usageOf(this.#actor, found.reservation, used))) found.written++
    return before
  }

  #record(node: number, use: UsageRecord): Promise<boolean> {
    return node === 0 ? recordUsage(use) : this.#other.ask<boolean>({ do: 'settle', use })
  }

  async #release({ node, call }: Extract<Deed, { do: 'release' }>): Promise<string> {
    const open = this.#calls.filter((one) => one.node === node && one.fate === 'open')
    const found = open[call % open.length]
    if (!found) return 'none'
    found.fate = 'released'
    const { reservation } = found
    if (node === 0) await releaseUse(reservation)
    else await this.#other.ask({ do: 'release', reservation })
    return 'given back'
  }

  async #use({ node, outputTokens }: Extract<Deed, { do: 'use' }>): Promise<string> {
    this.#unforeseenUsd += (outputTokens * 2) / 1e6
    await this.#record(node, usageOf(this.#actor, null, { inputTokens: 0, outputTokens }))
    return 'used'
  }

  async #sweep(node: number): Promise<string> {
    const swept = node === 0 ? sweepReservations() : this.#other.ask({ do: 'sweep', all: false })
    return String(await swept)
  }

  /** The other server is not heard of for longer than a lease; what it holds may be swept, and may be settled late. */
  async #crash(): Promise<void> {
    const lost = this.#calls.filter((one) => one.node === 1 && one.fate === 'open')
    for (const one of lost) one.fate = 'lost'
    await this.#other.ask({ do: 'forget', ids: lost.map(({ reservation }) => reservation.id) })
    await db().$executeRaw`
      UPDATE key_reservations SET lease_expires_at = now() - interval '1 second'
      WHERE id = ANY(${lost.map(({ reservation }) => reservation.id)}::uuid[])`
  }

  async #check(): Promise<void> {
    const faults = await findMeterFaults()
    if (faults.length > 0) throw new Error(JSON.stringify(faults, null, 1))
    for (const { fate, written, reservation } of this.#calls)
      if (written !== (fate === 'settled' ? 1 : 0))
        throw new Error(`${reservation.id} is ${fate} and was written down ${written} times.`)
    const budget = Number(this.#schedule.budgetUsd) + this.#unforeseenUsd
    for (const { period, usd } of await this.#spentByPeriod())
      if (usd > budget + 1e-9) throw new Error(`${usd} were spent in ${period}, of ${budget}.`)
  }

  /** What the ledger has and what is set aside, by the periods of the schedule. */
  #spentByPeriod(): Promise<{ period: string; usd: number }[]> {
    const form = this.#schedule.period === 'day' ? 'YYYY-MM-DD' : 'YYYY-MM'
    return db().$queryRaw`
      SELECT to_char(at AT TIME ZONE 'UTC', ${form}) AS period, sum(usd)::float8 AS usd FROM (
        SELECT at, cost_usd AS usd FROM usage_entries WHERE key_id = ${this.#key?.keyId}::uuid
        UNION ALL SELECT opened_at, usd FROM key_reservations WHERE key_id = ${this.#key?.keyId}::uuid
      ) used GROUP BY 1`
  }

  /** When everybody is gone, nothing is set aside any more, and each call stands in the ledger once, or was given back. */
  async #end(): Promise<void> {
    await sweepReservations({ all: true })
    await this.#crash()
    for (const one of this.#calls)
      if (one.node === 0 && one.fate === 'open') await releaseUse(one.reservation)
    await sweepReservations()
    await this.#check()
    const keyId = this.#actor.keyId
    if ((await db().keyReservation.count({ where: { keyId } })) > 0)
      throw new Error('Something is set aside.')
    const ids = this.#calls.filter((one) => this.#isWritten(one)).map(({ reservation }) => reservation.id)
    const rows = await db().usageEntry.count({ where: { id: { in: ids } } })
    if (rows !== ids.length) throw new Error(`${rows} of ${ids.length} calls stand in the ledger.`)
  }

  #isWritten({ fate, node }: Call): boolean {
    return fate === 'settled' || (fate !== 'released' && node === 1)
  }
}
