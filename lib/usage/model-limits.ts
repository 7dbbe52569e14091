/** What a model can be told and can say in one turn, in tokens. */
export type ModelLimits = {
  /** What it reads and writes together. */
  context: number
  /** What it writes at most; null: nobody knows. */
  output: number | null
  /** What a picture is read as at most, and at most where it is asked to be read coarsely. */
  picture: { fine: number; coarse: number }
}

type Line = [name: RegExp, context: number, output: number | null, finePicture: number, coarsePicture: number]

/*
 * The first that fits counts. Sources: developers.openai.com/api/docs/models and …/guides/images-vision,
 * platform.claude.com/docs/en/models/overview and …/build-with-claude/vision, read in November 2026. A picture of the
 * tiled kind has at most 8 tiles (2048 by 768 pixels), one of patches at most 1,536 or, where it is read as it is, 10,000,
 * times the model's own factor.
 */
const openai: Line[] = [
  // Nobody says what makes a picture of theirs dearer than of any before them.
  [/^gpt-6(\.\d+)?-(astra|sol|terra|luna)/, 1_050_000, 128_000, 25_000, 700],
  [/^gpt-5(\.\d+)?-chat/, 128_000, 16_384, 4000, 700],
  [/^gpt-5\.[4-9]-(mini|nano)/, 400_000, 128_000, 25_000, 700],
  [/^gpt-5\.[4-9]/, 1_050_000, 128_000, 12_000, 700],
  [/^gpt-5-pro/, 400_000, 272_000, 4000, 700],
  [/^gpt-5(-|$|\.[1-3])/, 400_000, 128_000, 4000, 700],
  [/^gpt-4\.1/, 1_047_576, 32_768, 4000, 700],
  [/^gpt-4o-mini/, 128_000, 16_384, 48_169, 2833],
  [/^gpt-4o-2024-05-13/, 128_000, 4096, 1445, 85],
  [/^(chat)?gpt-4o/, 128_000, 16_384, 1445, 85],
  [/^gpt-4\.5/, 128_000, 16_384, 1445, 85],
  [/^gpt-4-(turbo|1106|0125|vision)/, 128_000, 4096, 1445, 85],
  [/^gpt-4-32k/, 32_768, 32_768, 0, 0],
  [/^gpt-4(-|$)/, 8192, 8192, 0, 0],
  [/^gpt-3\.5-turbo-instruct/, 4096, 4096, 0, 0],
  [/^gpt-3\.5/, 16_385, 4096, 0, 0],
  [/^gpt-oss/, 131_072, 131_072, 0, 0],
  [/^o1-mini/, 128_000, 65_536, 1275, 75],
  [/^o1-preview/, 128_000, 32_768, 1275, 75],
  [/^(o[134](-|$)|codex-mini)/, 200_000, 100_000, 4000, 700],
]
const anthropic: Line[] = [
  [/^claude-3-(opus|sonnet|haiku)/, 200_000, 4096, 1700, 1700],
  [/^claude-3-5/, 200_000, 8192, 1700, 1700],
  [/^claude-3-7/, 200_000, 64_000, 1700, 1700],
  [/^claude-opus-4(-[01])?(-20\d{6}|$)/, 200_000, 32_000, 1700, 1700],
  [/^claude-(opus|haiku)-4-5/, 200_000, 64_000, 1700, 1700],
  [/^claude-sonnet-4(-[05])?(-20\d{6}|$)/, 200_000, 64_000, 1700, 1700],
  [/^claude-(opus|sonnet)-4-[6-9]/, 1_000_000, 128_000, 4800, 4800],
  [/^claude-(fable|mythos|opus|sonnet|haiku)-5/, 1_000_000, 128_000, 4800, 4800],
]
const known: Partial<Record<string, Line[]>> = { openai, anthropic }

/** Of a model that nobody has looked up: as much as any takes today. */
const unknown: ModelLimits = { context: 2_000_000, output: null, picture: { fine: 16_384, coarse: 16_384 } }

/** What is known of a model of OpenAI's or Anthropic's; of all others, the most that is to be reckoned with. */
export function findModelLimits(provider: string, model: string): ModelLimits {
  const line = known[provider]?.find(([name]) => name.test(model))
  if (!line) return unknown
  const [, context, output, fine, coarse] = line
  return { context, output, picture: { fine, coarse } }
}
