/** US dollars per million tokens, as decimals in text: sums of money take no binary fractions. */
export type Price = {
  input: string
  /** Of input that the provider had kept from an earlier call; null: no rebate. */
  cachedInput: string | null
  output: string
}

/** A price, since when it is asked, and where that is said. */
export type ListedPrice = Price & { model: string; validFrom: string; source: string }

const openai = 'https://openai.com/api/pricing/'

type Line = [model: string, input: string, cachedInput: string | null, output: string, validFrom: string]

/** OpenAI's standard prices (no batch, flex or priority), of models whose prices hold for every token alike. */
const lines: Line[] = [
  ['gpt-5.2', '1.75', '0.175', '14', '2025-12-11'],
  ['gpt-5.1', '1.25', '0.125', '10', '2025-11-13'],
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

/** What providers ask, as their public price lists say. Several lines of one model: the newest that has begun counts. */
export const listedPrices: readonly ListedPrice[] = lines.map(
  ([model, input, cachedInput, output, validFrom]) => ({
    model,
    input,
    cachedInput,
    output,
    validFrom,
    source: openai,
  }),
)
