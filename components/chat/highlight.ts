import type { GrammarState, HighlighterCore, ThemedToken } from 'shiki/core'
import { grammars } from './languages'

/** One coloured run of a line; without a colour it is plain. */
export type ColouredRun = { text: string; colour: string | undefined }

/** Lines of a block from line `from` on; null forgets the block. */
export type ColouringRequest = { block: number; language: string; from: number; lines: string[] | null }
export type ColouringAnswer = { block: number; from: number; lines: ColouredRun[][] }

let shared: Promise<HighlighterCore> | undefined

function loadHighlighter(): Promise<HighlighterCore> {
  shared ??= Promise.all([import('shiki/core'), import('shiki/engine/javascript')]).then(([core, engine]) =>
    core.createHighlighterCore({
      themes: [core.createCssVariablesTheme({ name: 'al-chat', variablePrefix: '--code-' })],
      engine: engine.createJavaScriptRegexEngine({ forgiving: true }),
    }),
  )
  return shared
}

const readyLanguages = new Map<string, Promise<HighlighterCore | undefined>>()

async function loadLanguage(language: string): Promise<HighlighterCore | undefined> {
  const load = Object.hasOwn(grammars, language) ? grammars[language] : undefined
  if (!load) return undefined
  try {
    const [highlighter, grammar] = await Promise.all([loadHighlighter(), load()])
    await highlighter.loadLanguage(grammar.default)
    return highlighter
  } catch {
    // Code without colours is still code; the next block tries again.
    readyLanguages.delete(language)
    shared = undefined
    return undefined
  }
}

function prepareLanguage(language: string): Promise<HighlighterCore | undefined> {
  const known = readyLanguages.get(language) ?? loadLanguage(language)
  readyLanguages.set(language, known)
  return known
}

const plainColour = 'var(--code-foreground)'

/** Neighbours of one colour become one run, which halves the elements of a block. */
function mergeRuns(tokens: readonly ThemedToken[]): ColouredRun[] {
  const runs: ColouredRun[] = []
  for (const { content, color } of tokens) {
    const colour = color === plainColour ? undefined : color
    const last = runs.at(-1)
    if (last && (last.colour === colour || content.trim() === '')) last.text += content
    else runs.push({ text: content, colour })
  }
  return runs
}

// One line of a minified file would keep the worker busy for seconds.
const longestLine = 2000

/** Colours a block line by line, so that a growing block is never read from its start again. */
export class BlockColours {
  readonly #language: string
  /** What the grammar knows before each line; the first knows nothing. */
  #states: (GrammarState | undefined)[] = [undefined]

  constructor(language: string) {
    this.#language = language
  }

  /** The runs of these lines, which follow line `from - 1`; undefined when there is no grammar for the language. */
  async colour(from: number, lines: readonly string[]): Promise<ColouredRun[][] | undefined> {
    const highlighter = await prepareLanguage(this.#language)
    if (!highlighter) return undefined
    this.#states.length = Math.min(this.#states.length, from + 1)
    return lines.map((line) => this.#colourLine(highlighter, line))
  }

  #colourLine(highlighter: HighlighterCore, line: string): ColouredRun[] {
    const grammarState = this.#states.at(-1)
    if (line.length > longestLine) {
      this.#states.push(grammarState)
      return [{ text: line, colour: undefined }]
    }
    const result = highlighter.codeToTokens(line, { lang: this.#language, theme: 'al-chat', grammarState })
    this.#states.push(result.grammarState)
    return mergeRuns(result.tokens[0] ?? [])
  }
}
