import type { Body } from './types.ts'
import { obfuscate } from './wire.ts'

/** One event of an item; the stream adds `item_id`, `output_index` and `sequence_number`. */
export type Step = { type: string; fields: Body; delta?: boolean }

/** An output item: as it is added, what happens to it, and as it is in the end. */
export type ItemPlan = { added: Body; steps: Step[]; done: Body }

/** Makes a delta step, with its padding. */
export function deltaStep(type: string, delta: string, fields: Body = {}): Step {
  return { type, delta: true, fields: { ...fields, delta, obfuscation: obfuscate(delta) } }
}

/** Cuts arguments or code into deltas of up to eight characters. */
export function cutEvenly(text: string): string[] {
  return text.match(/[\s\S]{1,8}/gu) ?? []
}
