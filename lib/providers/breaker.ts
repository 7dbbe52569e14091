import { remember } from '../remember'

/** So many failures within that time, and a key's server is not asked for a while. */
const failuresToOpen = 5
const windowMs = 30_000
const openMs = 30_000
/** More keys than a server has; the one that was not heard of for longest goes. */
const maxKnown = 5000

type Circuit = {
  label: string
  /** When the latest failures were, oldest first; as many as it takes to open. */
  failures: number[]
  /** Until then nobody asks; then one call tries. */
  opensUntil: number | null
  isTrying: boolean
}

const circuits = () => remember('providers.breaker', () => new Map<string, Circuit>())

/** A key whose server fails: what it is called, and when it is tried again (milliseconds since 1970). */
export type OpenCircuit = { label: string; triesAgainAt: number }

type Admission = { isAdmitted: true } | { isAdmitted: false; waitMs: number }

/**
 * Whether a call may go out with this key; with `false` for how long not, in milliseconds. Where the time is over, the
 * first one who asks is let through, and decides for the others.
 */
export function admitCall(name: string, now = Date.now()): Admission {
  const circuit = circuits().get(name)
  if (!circuit || circuit.opensUntil === null) return { isAdmitted: true }
  if (now < circuit.opensUntil) return { isAdmitted: false, waitMs: circuit.opensUntil - now }
  if (circuit.isTrying) return { isAdmitted: false, waitMs: 1000 }
  circuit.isTrying = true
  return { isAdmitted: true }
}

/** The server of this key answered, if only with a refusal. */
export function noteCallSuccess(name: string): void {
  circuits().delete(name)
}

/** A call that was let through ended without telling anything of the server. */
export function noteCallNothing(name: string): void {
  const circuit = circuits().get(name)
  if (circuit) circuit.isTrying = false
}

/** The server of this key did not answer, or with a fault of its own; `label` is what people call the key. */
export function noteCallFailure(name: string, label: string, now = Date.now()): void {
  const known = circuits().get(name) ?? { label, failures: [], opensUntil: null, isTrying: false }
  const recent = [...known.failures.filter((at) => now - at < windowMs), now].slice(-failuresToOpen)
  const opens = known.opensUntil !== null || recent.length >= failuresToOpen
  circuits().delete(name)
  circuits().set(name, {
    label,
    failures: recent,
    opensUntil: opens ? now + openMs : null,
    isTrying: false,
  })
  const [oldest = ''] = circuits().keys()
  if (circuits().size > maxKnown) circuits().delete(oldest)
}

/** The keys whose servers are not asked at present. */
export function listOpenCircuits(now = Date.now()): OpenCircuit[] {
  return [...circuits().values()].flatMap(({ label, opensUntil }) =>
    opensUntil === null || (opensUntil <= now && now - opensUntil > openMs)
      ? []
      : [{ label, triesAgainAt: opensUntil }],
  )
}
