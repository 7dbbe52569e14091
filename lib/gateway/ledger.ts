import type { Actor } from '../auth'
import { log } from '../log'
import { recordUsage } from '../usage'
import type { LentKey } from '../vault'
import type { StreamMeter } from './meter'

/** One call as it is written down; the status is known once the answer has begun. */
export type Metered = {
  actor: Actor
  key: LentKey
  model: string | null
  meter: StreamMeter
  status: number
}

/** Writes down what a call used: what the server says, or, of a stream that was left, what came of it. Never throws. */
export async function settle(
  { actor, key, model, meter, status }: Metered,
  how: 'whole' | 'left' | 'broken',
) {
  const usage = meter.usage()
  try {
    await recordUsage({
      userId: actor.userId,
      projectId: actor.boundTo,
      surface: 'gateway',
      keyId: actor.keyId,
      credentialId: key.credentialId,
      credentialLabel: key.label,
      provider: key.provider,
      model: model ?? 'unknown',
      keySource: key.source,
      inputTokens: usage?.input_tokens ?? 0,
      cachedTokens: usage?.cached_tokens ?? 0,
      outputTokens: usage?.output_tokens ?? (status < 400 && status > 0 ? meter.events : 0),
      reasoningTokens: usage?.reasoning_tokens ?? 0,
      estimated: usage === null,
      firstTokenMs: meter.firstByteMs,
      durationMs: meter.elapsedMs,
      outcome: status >= 400 || how === 'broken' ? 'failed' : how === 'left' ? 'stopped' : 'completed',
    })
  } catch (err) {
    log().error({ err }, 'what a call cost was not written down')
  }
}
