/** How a model is asked to think, and what it does where it is not asked. */
type ThinkingForm =
  /** It does not think. */
  | { form: 'none' }
  /** It thinks when it is given a number of tokens to think with. */
  | { form: 'budget' }
  /**
   * It decides by itself how much. `least` is what turns it off: null where nothing can, `omit` where it is off unless
   * asked for.
   */
  | { form: 'adaptive'; least: 'omit' | 'disabled' | 'between_tools' | null }

/** What a Claude model takes; what it does not take is an error there, not passed over. */
export type ClaudeTraits = {
  maxOutputTokens: number
  thinking: ThinkingForm
  /** The levels of `output_config.effort`, from the least to the most. */
  efforts: readonly string[]
  /** `temperature` and `top_p`. */
  takesSampling: boolean
  /** A `tool_choice` that leaves the model no choice. */
  takesForcedTools: boolean
  /** Answers and tool calls that are held to a schema: `output_config.format`, `strict`. */
  takesSchemas: boolean
}

const adaptiveEfforts = ['low', 'medium', 'high', 'xhigh', 'max']

/** Models that are no Claude but are served in its dialect: nothing that might be unknown to them. */
const strange: ClaudeTraits = {
  maxOutputTokens: 8192,
  thinking: { form: 'none' },
  efforts: [],
  takesSampling: true,
  takesForcedTools: true,
  takesSchemas: false,
}

const newest = 9999

type Name = { family: string; version: number }

/** `claude-opus-4-8`, `claude-haiku-4-5-20251001`, `claude-3-7-sonnet-latest`; also with a vendor's words around it. */
function readName(model: string): Name | null {
  const newer = /claude-([a-z]+)-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/.exec(model)
  if (newer) return { family: newer[1] ?? '', version: toVersion(newer[2], newer[3]) }
  const older = /claude-(\d)(?:[-.](\d{1,2}))?-([a-z]+)/.exec(model)
  if (older) return { family: older[3] ?? '', version: toVersion(older[1], older[2]) }
  // A preview came before the first of its line; any other name without a number is that of the newest.
  const unnumbered = /claude-([a-z]+)(-preview)?/.exec(model)
  return unnumbered ? { family: unnumbered[1] ?? '', version: unnumbered[2] ? 500 : newest } : null
}

/** 4.8 as 408, so that versions can be compared. */
function toVersion(major = '0', minor = '0'): number {
  return Number(major) * 100 + Number(minor)
}

/**
 * What a model takes, told by its name: by family and version, so that one that comes out tomorrow is treated as its
 * newest relative. From https://platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting, …/effort,
 * …/structured-outputs and the pages of the models (as of November 2026).
 */
export function traitsOfClaude(model: string): ClaudeTraits {
  const name = readName(model)
  if (name === null) return strange
  const { version } = name
  return {
    maxOutputTokens: roomOf(name),
    thinking: thinkingOf(name),
    efforts: version >= 407 ? adaptiveEfforts : version === 406 ? ['low', 'medium', 'high', 'max'] : [],
    takesSampling: version < 407,
    takesForcedTools: isForcible(name),
    takesSchemas: version >= 405,
  }
}

/** A choice of tools is not forced on a model that thinks, and some cannot but think. */
function isForcible({ family, version }: Name): boolean {
  if (version < 500 || family === 'haiku') return true
  return version === 500 && (family === 'opus' || family === 'sonnet')
}

function roomOf({ family, version }: Name): number {
  if (version >= 406) return 128_000
  if (version >= 405) return 64_000
  if (version >= 400) return family === 'opus' ? 32_000 : 64_000
  if (version >= 307) return 64_000
  return version >= 305 ? 8192 : 4096
}

function thinkingOf({ family, version }: Name): ThinkingForm {
  if (version < 307) return { form: 'none' }
  if (version < 406) return { form: 'budget' }
  if (version < 500) return { form: 'adaptive', least: 'omit' }
  return { form: 'adaptive', least: leastOf(family, version) }
}

function leastOf(family: string, version: number): 'disabled' | 'between_tools' | null {
  if (family === 'haiku') return 'disabled'
  if (family === 'sonnet') return version >= 505 ? 'between_tools' : 'disabled'
  return family === 'opus' && version < 505 ? 'disabled' : null
}

/** A wish for thinking: OpenAI's `reasoning_effort`, or null where nothing is wished. */
export type ThinkingWish = {
  effort: string | null
  maxTokens: number
  /** The model may not think now: the choice of a tool is forced, or its former thoughts are not there. */
  mustNotThink?: boolean
}

/** What of a request speaks of thinking; `thinks` says whether the model may, which rules out sampling. */
export type ThinkingAsked = { thinks: boolean; thinking?: Record<string, unknown>; effort?: string }

/** As many tokens to think with, for models that are told a number; OpenAI's levels have none. */
const budgets: Record<string, number> = {
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 32_768,
  max: 32_768,
}
const leastBudget = 1024
/** Of all tokens of an answer, so much may be thinking, or nothing would be said. */
const mostThinking = 0.75

/**
 * Asks for as much thinking as is wished. Where a model thinks by itself, a summary of it is asked for: the default of
 * the newer ones is to be silent while they do.
 */
export function askToThink(traits: ClaudeTraits, wish: ThinkingWish): ThinkingAsked {
  const { thinking } = traits
  if (thinking.form === 'none') return { thinks: false }
  if (thinking.form === 'budget') return askWithBudget(wish)
  const isUnwanted = wish.mustNotThink === true || wish.effort === 'none'
  const isOffByItself = thinking.least === 'omit'
  const effort = wish.effort === null || wish.effort === 'none' ? undefined : toEffort(traits, wish.effort)
  if (isOffByItself && (isUnwanted || wish.effort === null))
    return { thinks: false, ...(effort && { effort }) }
  if (isUnwanted && thinking.least !== null) {
    return { thinks: false, thinking: { type: thinking.least }, ...belowMost(effort) }
  }
  const lowest = wish.effort === 'none' ? { effort: 'low' } : {}
  return {
    thinks: true,
    thinking: { type: 'adaptive', display: 'summarized' },
    ...lowest,
    ...(effort && { effort }),
  }
}

/** Without thinking, an effort beyond `high` is refused. */
function belowMost(effort: string | undefined): { effort?: string } {
  if (effort === undefined) return {}
  return { effort: effort === 'xhigh' || effort === 'max' ? 'high' : effort }
}

/** The same level, or the next one below that the model knows; a level that nobody knows is none. */
function toEffort({ efforts }: ClaudeTraits, effort: string): string | undefined {
  const wished = adaptiveEfforts.indexOf(effort === 'minimal' ? 'low' : effort)
  return adaptiveEfforts.slice(0, wished + 1).findLast((level) => efforts.includes(level))
}

function askWithBudget({ effort, maxTokens, mustNotThink }: ThinkingWish): ThinkingAsked {
  const wished = mustNotThink || effort === null ? undefined : budgets[effort]
  const budget = Math.min(wished ?? 0, Math.floor(maxTokens * mostThinking))
  if (budget < leastBudget) return { thinks: false }
  return { thinks: true, thinking: { type: 'enabled', budget_tokens: budget } }
}
