/** US dollars per million tokens, as decimals in text: sums of money take no binary fractions. */
export type Rates = {
  input: string
  /** Of input that the provider had kept from an earlier call; null: no rebate. */
  cachedInput: string | null
  /** Of input that the provider keeps for later calls; where it is not told, as any other. */
  cacheWrite?: string
  output: string
}

export type Price = Rates & {
  /** Asked for all tokens of a call, its output too, that has more input tokens than this, cached ones among them. */
  beyond?: Rates & { inputTokens: number }
}

/** Who asks it, since when, and where that is said. */
export type ListedPrice = Price & {
  provider: 'openai' | 'anthropic'
  model: string
  validFrom: string
  source: string
}

type Line = [model: string, input: string, cachedInput: string | null, output: string, validFrom: string]
type Figures = [input: string, cachedInput: string | null, cacheWrite: string | null, output: string]
type TieredLine = [model: string, validFrom: string, first: Figures, beyond: Figures]

/** OpenAI's standard prices (no batch, flex or priority). */
const openai: Line[] = [
  ['gpt-5.4-mini', '0.75', '0.075', '4.5', '2026-03-17'],
  ['gpt-5.4-nano', '0.2', '0.02', '1.25', '2026-03-17'],
  ['gpt-5.3-chat-latest', '1.75', '0.175', '14', '2026-03-03'],
  ['gpt-5.3-codex', '1.75', '0.175', '14', '2026-02-24'],
  ['gpt-5.2', '1.75', '0.175', '14', '2025-12-11'],
  ['gpt-5.2-chat-latest', '1.75', '0.175', '14', '2025-12-11'],
  ['gpt-5.2-codex', '1.75', '0.175', '14', '2026-01-14'],
  ['gpt-5.2-pro', '21', null, '168', '2025-12-11'],
  ['gpt-5.1', '1.25', '0.125', '10', '2025-11-13'],
  ['gpt-5.1-chat-latest', '1.25', '0.125', '10', '2025-11-13'],
  ['gpt-5.1-codex', '1.25', '0.125', '10', '2025-11-13'],
  ['gpt-5.1-codex-max', '1.25', '0.125', '10', '2025-12-04'],
  ['gpt-5.1-codex-mini', '0.25', '0.025', '2', '2025-11-13'],
  ['gpt-5', '1.25', '0.125', '10', '2025-08-07'],
  ['gpt-5-mini', '0.25', '0.025', '2', '2025-08-07'],
  ['gpt-5-nano', '0.05', '0.005', '0.4', '2025-08-07'],
  ['gpt-5-chat-latest', '1.25', '0.125', '10', '2025-08-07'],
  ['gpt-5-codex', '1.25', '0.125', '10', '2025-09-23'],
  ['gpt-5-pro', '15', null, '120', '2025-10-06'],
  ['gpt-4.1', '2', '0.5', '8', '2025-04-14'],
  ['gpt-4.1-mini', '0.4', '0.1', '1.6', '2025-04-14'],
  ['gpt-4.1-nano', '0.1', '0.025', '0.4', '2025-04-14'],
  ['gpt-4o', '2.5', '1.25', '10', '2024-10-01'],
  // The first one kept the price that it came with.
  ['gpt-4o-2024-05-13', '5', null, '15', '2024-05-13'],
  ['gpt-4o-mini', '0.15', '0.075', '0.6', '2024-10-01'],
  ['gpt-4-turbo', '10', null, '30', '2024-04-09'],
  ['gpt-4', '30', null, '60', '2023-03-14'],
  ['gpt-4-0613', '30', null, '60', '2023-06-13'],
  ['gpt-3.5-turbo', '0.5', null, '1.5', '2024-02-16'],
  ['gpt-3.5-turbo-0125', '0.5', null, '1.5', '2024-01-25'],
  ['o1', '15', '7.5', '60', '2024-12-17'],
  ['o1-pro', '150', null, '600', '2025-03-19'],
  ['o3', '10', '2.5', '40', '2025-04-16'],
  ['o3', '2', '0.5', '8', '2025-06-10'],
  ['o3-pro', '20', null, '80', '2025-06-10'],
  ['o3-mini', '1.1', '0.55', '4.4', '2025-01-31'],
  ['o4-mini', '1.1', '0.275', '4.4', '2025-04-16'],
  ['text-embedding-3-small', '0.02', null, '0', '2024-01-25'],
  ['text-embedding-3-large', '0.13', null, '0', '2024-01-25'],
  ['text-embedding-ada-002', '0.1', null, '0', '2023-06-13'],
  ['omni-moderation-latest', '0', null, '0', '2024-09-26'],
]

/**
 * Behind what other calls cost: what one of more than 272,000 input tokens does, as a whole. Since GPT-5.6, OpenAI keeps
 * input for half an hour by itself, and asks more for that; who asks it to keep it for half a day pays more than is said
 * here. Not here are GPT-6.2, of which too little is told yet, and GPT-5.6 Sol, whose price was promised until 2026-11-21.
 */
const openaiLong = 272_000
const openaiTiered: TieredLine[] = [
  ['gpt-6.1-sol', '2026-09-29', ['2', '0.1', '2.5', '10'], ['4', '0.2', '5', '15']],
  ['gpt-6.1-terra', '2026-10-26', ['1', '0.05', '1.25', '5'], ['2', '0.1', '2.5', '7.5']],
  ['gpt-6-astra', '2026-09-03', ['10', '1', '12.5', '50'], ['20', '2', '25', '75']],
  ['gpt-6-sol', '2026-09-22', ['2', '0.2', '2.5', '10'], ['4', '0.4', '5', '15']],
  ['gpt-6-luna', '2026-09-22', ['0.1', '0.01', '0.125', '0.5'], ['0.2', '0.02', '0.25', '0.75']],
  ['gpt-5.6-terra', '2026-07-30', ['2', '0.2', '2.5', '12'], ['4', '0.4', '5', '18']],
  ['gpt-5.6-luna', '2026-07-30', ['0.2', '0.02', '0.25', '1.2'], ['0.4', '0.04', '0.5', '1.8']],
  ['gpt-5.5', '2026-04-23', ['5', '0.5', null, '30'], ['10', '1', null, '45']],
  ['gpt-5.5-pro', '2026-04-23', ['30', null, null, '180'], ['60', null, null, '270']],
  ['gpt-5.4', '2026-03-05', ['2.5', '0.25', null, '15'], ['5', '0.5', null, '22.5']],
  ['gpt-5.4-pro', '2026-03-05', ['30', null, null, '180'], ['60', null, null, '270']],
]

/** Anthropic's standard prices (no batch, no fast mode). Writing to the cache costs more, but nothing here asks for that. */
const anthropic: Line[] = [
  ['claude-fable-5-2', '8', '0.2', '40', '2026-11-09'],
  ['claude-fable-5-1', '10', '0.25', '50', '2026-09-01'],
  ['claude-fable-5', '10', '1', '50', '2026-06-09'],
  ['claude-mythos-5-1', '10', '0.25', '50', '2026-09-01'],
  ['claude-mythos-5', '10', '1', '50', '2026-06-09'],
  ['claude-opus-5-5', '4', '0.2', '20', '2026-09-22'],
  ['claude-opus-5', '5', '0.5', '25', '2026-07-24'],
  ['claude-opus-4-8', '5', '0.5', '25', '2026-05-28'],
  ['claude-opus-4-7', '5', '0.5', '25', '2026-04-16'],
  // Before, these two cost more beyond 200,000 tokens.
  ['claude-opus-4-6', '5', '0.5', '25', '2026-03-13'],
  ['claude-sonnet-4-6', '3', '0.3', '15', '2026-03-13'],
  ['claude-opus-4-5', '5', '0.5', '25', '2025-11-24'],
  ['claude-opus-4-1', '15', '1.5', '75', '2025-08-05'],
  ['claude-opus-4', '15', '1.5', '75', '2025-05-22'],
  ['claude-opus-4-0', '15', '1.5', '75', '2025-05-22'],
  ['claude-sonnet-5-5', '2', '0.2', '10', '2026-09-28'],
  ['claude-sonnet-5-5', '2', '0.1', '10', '2026-10-07'],
  ['claude-sonnet-5', '2', '0.2', '10', '2026-06-30'],
  ['claude-sonnet-4-5', '3', '0.3', '15', '2025-09-29'],
  ['claude-sonnet-4', '3', '0.3', '15', '2025-05-22'],
  ['claude-sonnet-4-0', '3', '0.3', '15', '2025-05-22'],
  ['claude-haiku-4-5', '1', '0.1', '5', '2025-10-15'],
  // The oldest, as of a day on which they cost this.
  ['claude-3-7-sonnet', '3', '0.3', '15', '2025-06-23'],
  ['claude-3-7-sonnet-latest', '3', '0.3', '15', '2025-06-23'],
  ['claude-3-5-sonnet', '3', '0.3', '15', '2025-06-23'],
  ['claude-3-5-sonnet-latest', '3', '0.3', '15', '2025-06-23'],
  ['claude-3-5-haiku', '0.8', '0.08', '4', '2025-06-23'],
  ['claude-3-5-haiku-latest', '0.8', '0.08', '4', '2025-06-23'],
  ['claude-3-opus', '15', '1.5', '75', '2025-06-23'],
  ['claude-3-opus-latest', '15', '1.5', '75', '2025-06-23'],
  ['claude-3-sonnet', '3', null, '15', '2025-06-23'],
  ['claude-3-haiku', '0.25', '0.03', '1.25', '2025-06-23'],
]

/** A prompt of more than 100,000 tokens makes all tokens of the call dearer, those of the answer, too. */
const anthropicLong = 100_000
const anthropicTiered: TieredLine[] = [
  ['claude-haiku-5-5', '2026-10-07', ['0.1', '0.01', null, '0.5'], ['0.5', '0.05', null, '2.5']],
]

type Publisher = Pick<ListedPrice, 'provider' | 'source'>

const toListed = (publisher: Publisher, lines: Line[]): ListedPrice[] =>
  lines.map(([model, input, cachedInput, output, validFrom]) => ({
    ...publisher,
    model,
    input,
    cachedInput,
    output,
    validFrom,
  }))

const toTiered = (publisher: Publisher, inputTokens: number, lines: TieredLine[]): ListedPrice[] =>
  lines.map(([model, validFrom, first, beyond]) => ({
    ...publisher,
    model,
    ...toRates(first),
    beyond: { inputTokens, ...toRates(beyond) },
    validFrom,
  }))

const toRates = ([input, cachedInput, cacheWrite, output]: Figures): Rates => ({
  input,
  cachedInput,
  ...(cacheWrite !== null && { cacheWrite }),
  output,
})

const openaiPage: Publisher = { provider: 'openai', source: 'https://openai.com/api/pricing/' }
const anthropicPage: Publisher = {
  provider: 'anthropic',
  source: 'https://platform.claude.com/docs/en/about-claude/pricing',
}

/** What providers ask, as their public price lists say. Several lines of one model: the newest that has begun counts. */
export const listedPrices: readonly ListedPrice[] = [
  ...toTiered(openaiPage, openaiLong, openaiTiered),
  ...toListed(openaiPage, openai),
  ...toTiered(anthropicPage, anthropicLong, anthropicTiered),
  ...toListed(anthropicPage, anthropic),
]
