import type { AppError } from '../errors'
import { tellOpenAi } from '../http'
import type { ModelPath } from './asked'
import type { StreamMeter } from './meter'

/**
 * The last event of a stream whose server went away, so that its reader is told why and does not take what came for the
 * whole; null in the middle of an event, where nothing more can be read.
 */
export function lastWordsOf(path: ModelPath, meter: StreamMeter, error: AppError): Uint8Array | null {
  if (!meter.isBetweenEvents) return null
  const { error: told } = tellOpenAi(error)
  if (path !== '/responses') return Buffer.from(`data: ${JSON.stringify({ error: told })}\n\n`)
  const event = { type: 'error', sequence_number: meter.lastSequenceNumber + 1, error: told }
  return Buffer.from(`event: error\ndata: ${JSON.stringify(event)}\n\n`)
}
