/** The surface that a call came by: our own pages, the portal's API, or the gateway in OpenAI's dialect. */
type Surface = 'page' | 'api' | 'gateway'

export type UsageRecord = {
  userId: string | null
  projectId?: string | null
  agentId?: string | null
  replyId?: string | null
  surface: Surface
  /** The API key that the caller came with, if any. */
  keyId: string | null
  /** What was set aside for the call, if anything; that of a reply is found by the reply's id. */
  reservation?: { id: string; openedAt: Date } | null
  provider: 'openai' | 'openai-compatible' | 'anthropic' | 'demo'
  model: string
  /** Where the provider's key came from: `papita`, `user`, `project`, `global`, `environment`, `demo`. */
  keySource: string
  /** Which of the vault's keys served, and what it is called now. */
  credentialId: string | null
  credentialLabel: string | null
  inputTokens: number
  /** Part of the input tokens. */
  cachedTokens?: number
  /** Another part of them, which the provider keeps for later calls; null: nobody says how many. */
  cacheWriteTokens?: number | null
  outputTokens: number
  /** Part of the output tokens. */
  reasoningTokens?: number
  /** True where the provider told no figures and they were estimated from the text. */
  estimated?: boolean
  firstTokenMs?: number | null
  durationMs: number
  outcome: 'completed' | 'stopped' | 'interrupted' | 'failed'
  /** Of a call of the gateway: which one, such as `/chat/completions`. */
  endpoint?: string | null
  /** The HTTP status that the model server answered with; null where it did not. */
  status?: number | null
  /** How often the call was tried again. */
  retries?: number
  cache?: 'hit' | 'miss' | null
  requestId?: string | null
}

/** As the ledger takes it: figures that it can add up, words that it can store. */
export type LedgerEntry = Required<Omit<UsageRecord, 'reservation'>>

const maxModelLength = 200
const maxWordLength = 200
const maxWhole = 2 ** 31 - 1

/** What a server says of itself may be anything; the ledger takes whole numbers that it can add up. */
export function toWhole(given: number): number {
  return Number.isFinite(given) ? Math.min(maxWhole, Math.max(0, Math.round(given))) : 0
}

/** The name of a model as the ledger keeps it. */
export function toModelName(given: string): string {
  return given.slice(0, maxModelLength).toWellFormed().replaceAll('\0', '')
}

const toWord = (given: string | null | undefined) =>
  given == null ? null : given.slice(0, maxWordLength).toWellFormed().replaceAll('\0', '')

export function toLedgerEntry(entry: UsageRecord): LedgerEntry {
  const { userId, surface, keyId, provider, keySource, credentialId, credentialLabel, outcome } = entry
  const { projectId = null, agentId = null, replyId = null, estimated = false, cache = null } = entry
  const inputTokens = toWhole(entry.inputTokens)
  const who = { userId, projectId, agentId, replyId, surface, keyId }
  const served = { provider, model: toModelName(entry.model), keySource, credentialId, credentialLabel }
  const tokens = {
    inputTokens,
    cachedTokens: Math.min(inputTokens, toWhole(entry.cachedTokens ?? 0)),
    cacheWriteTokens: entry.cacheWriteTokens == null ? null : toWhole(entry.cacheWriteTokens),
    outputTokens: toWhole(entry.outputTokens),
    reasoningTokens: toWhole(entry.reasoningTokens ?? 0),
    estimated,
  }
  const course = {
    firstTokenMs: entry.firstTokenMs == null ? null : toWhole(entry.firstTokenMs),
    durationMs: toWhole(entry.durationMs),
    outcome,
    endpoint: toWord(entry.endpoint),
    status: entry.status == null ? null : toWhole(entry.status),
    retries: toWhole(entry.retries ?? 0),
    cache,
    requestId: toWord(entry.requestId),
  }
  return { ...who, ...served, ...tokens, ...course }
}
