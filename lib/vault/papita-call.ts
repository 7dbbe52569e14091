import http from 'node:http'
import https from 'node:https'
import { env } from '../env'
import { remember } from '../remember'

/** What came back: an answer in HTTP with its body (empty unless it is a 200), or nothing of use. */
export type PapitaReply =
  | { status: number; text: string }
  /** `isSilent`: waiting for it cost time, or nobody is there. */
  | { fault: string; isSilent: boolean }

/** The longest that anybody waits for Papita. */
export const papitaLimitMs = 2000
const maxBodyBytes = 64 * 1024

/**
 * Asks Papita with one GET, 2 s and 64 KB at most; never throws. The token and the name in the question go to Papita's
 * own address alone: no redirect is followed, and no proxy of the environment is used, which only Node's own agent has.
 */
export function callPapita(path: string, { withToken }: { withToken: boolean }): Promise<PapitaReply> {
  return new Promise((settle) => {
    const url = new URL(baseOf(env().PAPITA_API_URL ?? '') + path)
    const request = (url.protocol === 'https:' ? https : http).get(url, {
      agent: agentFor(url.protocol),
      headers: headersFor(withToken),
    })
    const finish = (reply: PapitaReply) => {
      clearTimeout(timer)
      settle(reply)
      request.destroy()
    }
    const timer = setTimeout(
      () => finish(silence(`does not answer within ${papitaLimitMs / 1000} s.`)),
      papitaLimitMs,
    )
    request.on('response', (response) => {
      const reply = readHead(response)
      if (reply) finish(reply)
      else readBody(response, finish)
    })
    request.on('upgrade', () => finish(silence('does not speak HTTP. Check PAPITA_API_URL.')))
    // Stays there after the end, for what the destroyed connection still has to say.
    request.on('error', (error) => finish(explainBreak(error)))
  })
}

/** `PAPITA_API_URL` may end in `/api` or not; the paths here begin with it. */
function baseOf(address: string): string {
  return address.replace(/\/api$/, '')
}

/** Each question has a connection of its own: they are few, and one that was kept may have died meanwhile. */
function agentFor(protocol: string): http.Agent {
  return remember(`vault.papita.agent.${protocol}`, () => {
    const options = { keepAlive: false, maxSockets: 32 }
    return protocol === 'https:' ? new https.Agent(options) : new http.Agent(options)
  })
}

function headersFor(withToken: boolean): http.OutgoingHttpHeaders {
  const { PAPITA_API_TOKEN } = env()
  return {
    accept: 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'al-chat',
    ...(withToken && PAPITA_API_TOKEN && { authorization: `Bearer ${PAPITA_API_TOKEN}` }),
  }
}

function readHead({ statusCode: status = 0, headers }: http.IncomingMessage): PapitaReply | null {
  if (status !== 200) return { status, text: '' }
  const { 'content-encoding': encoding = 'identity' } = headers
  // Nothing is unpacked, so a few bytes cannot become gigabytes.
  return encoding === 'identity' ? null : useless('answers compressed, though it was asked not to.')
}

function readBody(response: http.IncomingMessage, finish: (reply: PapitaReply) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > maxBodyBytes) finish(useless(`answers with more than ${maxBodyBytes / 1024} KB.`))
    else chunks.push(chunk)
  })
  response.on('end', () => finish({ status: 200, text: Buffer.concat(chunks).toString() }))
  response.on('error', (error) => finish(explainBreak(error)))
}

const useless = (what: string): PapitaReply => ({ fault: `Papita ${what}`, isSilent: false })
const silence = (what: string): PapitaReply => ({ fault: `Papita ${what}`, isSilent: true })

const breaks: [RegExp, string][] = [
  [/^ECONNREFUSED$/, 'refuses the connection.'],
  [/^(ENOTFOUND|EAI_)/, 'is not found at the address in PAPITA_API_URL.'],
  [/^(ECONNRESET|EPIPE|ECONNABORTED)$/, 'breaks the connection off.'],
  [/^HPE_/, 'does not speak HTTP. Check PAPITA_API_URL.'],
  [/CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS/, 'has a certificate that is not accepted.'],
]

/** Only the kind of the error is told: its words may hold the address that was asked. */
function explainBreak(error: Error): PapitaReply {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const [, words = 'cannot be reached.'] = breaks.find(([codes]) => codes.test(code)) ?? []
  return silence(words)
}
