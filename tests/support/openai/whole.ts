import { setTimeout as sleep } from 'node:timers/promises'
import { type Exchange, isGone, send } from './exchange.ts'
import { breakConnection } from './journal.ts'

const page =
  '<!DOCTYPE html>\n<html lang="en">\n<head><title>Just a moment...</title></head>\n<body><h1>Checking your connection</h1><p>Please wait.</p></body>\n</html>\n'

/** Does what a script wants before the answer begins; `true` when that already was the answer. */
export async function intercept(exchange: Exchange): Promise<boolean> {
  const { script, response } = exchange
  for (const [name, value] of Object.entries(script.headers ?? {})) response.setHeader(name, value)
  if (script.firstByteDelayMs !== undefined) await waitWhileOpen(exchange, script.firstByteDelayMs)
  if (isGone(exchange)) return true
  if (script.end === 'html200') {
    send(exchange, page, 'text/html; charset=utf-8')
    return true
  }
  if (script.end !== 'reset' || script.after !== 0) return false
  await breakConnection(response, 'reset')
  return true
}

async function waitWhileOpen({ response }: Exchange, ms: number): Promise<void> {
  const closed = new AbortController()
  const abort = () => closed.abort()
  response.once('close', abort)
  await sleep(Math.min(ms, 2 ** 31 - 1), undefined, { signal: closed.signal }).catch(() => undefined)
  response.off('close', abort)
}

/** Sends an answer that is not a stream, broken off where the script says so. */
export async function sendWhole(exchange: Exchange, json: string): Promise<void> {
  const { script, response } = exchange
  const { end = 'completed' } = script
  if (end === 'stall') return
  if (end === 'reset') return breakConnection(response, 'reset')
  if (end === 'malformed') return send(exchange, json.slice(0, Math.floor(json.length / 2)))
  if (!end.startsWith('cut')) return send(exchange, json)
  response.setHeader('content-type', 'application/json')
  response.write(json.slice(0, Math.floor(json.length / 2)))
  await breakConnection(response, 'drop')
}
