import fc from 'fast-check'
import type { ErrorCode } from '../../lib/errors'
import { type FaultKind, faultKinds, type LogCall } from './reply-faults'
import type { Fate } from './reply-lossy-bus'
import type { UpstreamEvent, UpstreamPlan } from './reply-upstream'

/** One thing that happens, `afterMs` after the one before it. Nodes, replies and followers are counted round. */
export type Step = { afterMs: number } & (
  | { do: 'open'; node: number; plan: UpstreamPlan }
  | { do: 'follow'; node: number; reply: number; readMs: number }
  | { do: 'leave'; follower: number }
  | { do: 'return'; follower: number; node: number }
  | { do: 'stop'; node: number; reply: number }
  | { do: 'delete'; reply: number }
  | {
      do: 'fault'
      node: number
      call: LogCall | 'any'
      kind: FaultKind
      times: number
      ms: number
      code: ErrorCode
    }
  | { do: 'outage'; node: number; ms: number }
  | { do: 'stall'; node: number; ms: number }
  | { do: 'ledger fails'; times: number }
  | { do: 'crash'; node: number; lands: boolean }
  | { do: 'close'; node: number }
  | { do: 'boot' }
)

/** What happens to some nodes on one log. */
export type Schedule = { nodes: number; fates: Fate[]; adoptMs: number; steps: Step[] }

const pieces = ['a', 'bc ', '', 'é', '😀', '\r\n', '\u0000', '\ud83d', '\ude00', 'word and ']

/** Most events begin with their number, so that one that is missing or told twice shows. */
const event = fc.record({
  piece: fc.constantFrom(...pieces),
  fill: fc.oneof(
    { weight: 30, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.constantFrom(5000, 70_000) },
  ),
  isNumbered: fc.boolean(),
  type: fc.constantFrom('text' as const, 'text' as const, 'reasoning' as const),
  pauseMs: fc.constantFrom(0, 0, 0, 1, 3, 8, 20),
  isBare: fc.integer({ min: 0, max: 5 }).map((n) => n === 5),
})

const events = fc.array(event, { maxLength: 25, size: 'max' }).map((list) =>
  list.map(
    ({ piece, fill, isNumbered, type, pauseMs, isBare }, n): UpstreamEvent => ({
      type,
      text: `${isNumbered ? `${n};` : ''}${piece}${'='.repeat(fill)}`,
      pauseMs,
      isBare,
    }),
  ),
)

const plan: fc.Arbitrary<UpstreamPlan> = fc.record({
  events,
  isResumable: fc.boolean(),
  ending: fc.constantFrom('ends', 'ends', 'ends', 'breaks', 'never ends'),
  deafFor: fc.constantFrom(0, 0, 1, 3),
  keepsPace: fc.boolean(),
  forgets: fc.integer({ min: 0, max: 9 }).map((n) => n === 9),
})

const afterMs = fc.constantFrom(0, 0, 1, 4, 12, 40, 100)
const index = fc.nat(5)
const step = <T extends Step['do'], R extends object>(name: T, rest: fc.Arbitrary<R>) =>
  fc.tuple(afterMs, rest).map(([after, known]) => ({ afterMs: after, do: name, ...known }))

const open = step('open', fc.record({ node: index, plan }))
const calls: (LogCall | 'any')[] = [
  ...(['append', 'append', 'append', 'append', 'finish', 'finish', 'any', 'renew', 'takeOver'] as const),
  ...(['read', 'find', 'release', 'requestStop', 'noteUpstream', 'findProgress'] as const),
]
const fault = step(
  'fault',
  fc.record({
    node: index,
    call: fc.constantFrom(...calls),
    kind: fc.constantFrom(...faultKinds),
    times: fc.constantFrom(1, 1, 2, 5, 60),
    ms: fc.constantFrom(3, 20, 80, 200),
    code: fc.constantFrom<ErrorCode>('unavailable', 'unavailable', 'storage_full', 'internal'),
  }),
)

const anyStep = fc.oneof(
  { weight: 5, arbitrary: open },
  {
    weight: 8,
    arbitrary: step('follow', fc.record({ node: index, reply: index, readMs: fc.constantFrom(0, 0, 5, 30) })),
  },
  { weight: 3, arbitrary: step('leave', fc.record({ follower: index })) },
  { weight: 5, arbitrary: step('return', fc.record({ follower: index, node: index })) },
  { weight: 3, arbitrary: step('stop', fc.record({ node: index, reply: index })) },
  { weight: 1, arbitrary: step('delete', fc.record({ reply: index })) },
  { weight: 10, arbitrary: fault },
  { weight: 3, arbitrary: step('outage', fc.record({ node: index, ms: fc.constantFrom(10, 60, 160, 260) })) },
  { weight: 3, arbitrary: step('stall', fc.record({ node: index, ms: fc.constantFrom(30, 200, 320) })) },
  { weight: 1, arbitrary: step('ledger fails', fc.record({ times: fc.constantFrom(1, 5) })) },
  { weight: 3, arbitrary: step('crash', fc.record({ node: index, lands: fc.boolean() })) },
  { weight: 1, arbitrary: step('close', fc.record({ node: index })) },
  { weight: 3, arbitrary: step('boot', fc.record({})) },
)

/** What seldom comes together by chance, and is where answers are lost: at one node, or of one reply. */
const episode: fc.Arbitrary<Step[]> = fc
  .tuple(fc.nat(5), index, index, fc.constantFrom(0, 4, 40))
  .map(([which, node, reply, pause]) => {
    const slowly = { kind: 'slow', times: 1, ms: 80, code: 'unavailable' } as const
    const episodes: Step[][] = [
      [
        { afterMs: pause, do: 'stop', node, reply },
        { afterMs: 4, do: 'crash', node, lands: pause === 0 },
      ],
      [
        { afterMs: pause, do: 'stall', node, ms: 320 },
        { afterMs: 200, do: 'stop', node, reply },
      ],
      [
        { afterMs: pause, do: 'fault', node, call: 'finish', ...slowly },
        { afterMs: 4, do: 'stall', node, ms: 320 },
      ],
      [
        {
          afterMs: pause,
          do: 'fault',
          node,
          call: 'append',
          ...slowly,
          kind: 'lands later',
          code: 'internal',
        },
        { afterMs: 0, do: 'follow', node, reply, readMs: 0 },
      ],
      [
        { afterMs: pause, do: 'crash', node, lands: true },
        { afterMs: 0, do: 'boot' },
        { afterMs: 12, do: 'return', follower: reply, node },
      ],
      [
        { afterMs: pause, do: 'fault', node, call: 'append', ...slowly },
        { afterMs: 4, do: 'close', node },
        { afterMs: 40, do: 'boot' },
      ],
    ]
    return episodes[which] ?? []
  })

const fate = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>('arrives') },
  { weight: 2, arbitrary: fc.constantFrom<Fate>('lost', 'doubled') },
  { weight: 2, arbitrary: fc.constantFrom<Fate>(1, 6, 30) },
)

/** Schedules that begin with an open reply. */
export const schedules: fc.Arbitrary<Schedule> = fc
  .record({
    nodes: fc.constantFrom(2, 2, 3),
    fates: fc.array(fate, { minLength: 1, maxLength: 9 }),
    adoptMs: fc.constantFrom(0, 0, 10, 40),
    first: open,
    rest: fc.array(
      fc.oneof({ weight: 12, arbitrary: anyStep.map((one) => [one]) }, { weight: 1, arbitrary: episode }),
      { maxLength: 24, size: 'max' },
    ),
  })
  .map(({ first, rest, ...known }) => ({ ...known, steps: [first, ...rest.flat()] as Step[] }))

function describePlan({
  events: said,
  isResumable,
  ending,
  deafFor,
  forgets,
  keepsPace,
}: UpstreamPlan): string {
  const traits = [
    isResumable && 'resumable',
    ending,
    deafFor > 0 && `deaf for ${deafFor}`,
    forgets && 'forgets',
    keepsPace && 'keeps pace',
  ]
  const list = said.map(({ type, text, pauseMs, isBare }) => {
    const short = text.replace(/={9,}/, (fill) => `=×${fill.length}`)
    return `${pauseMs ? `${pauseMs}ms ` : ''}${type === 'text' ? '' : 'R'}${isBare ? 'bare' : ''}${JSON.stringify(short)}`
  })
  return `${traits.filter(Boolean).join(', ')}: ${list.join(' ')}`
}

/** One step as a line. */
export function describeStep({ afterMs: after, ...rest }: Step): string {
  if (rest.do === 'open') return `+${after} open on ${rest.node} (${describePlan(rest.plan)})`
  const { do: what, ...known } = rest
  return `+${after} ${what} ${Object.entries(known)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')}`
}

/** A schedule as lines that a person can read. */
export function describeSchedule({ nodes, fates, adoptMs, steps }: Schedule): string {
  const head = `${nodes} nodes, adopting takes ${adoptMs} ms, messages: ${fates.join(', ')}`
  return [head, ...steps.map(describeStep)].join('\n  ')
}
