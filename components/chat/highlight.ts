import type { GrammarState, HighlighterCore, ThemedToken } from 'shiki/core'
import { grammars } from './languages'

/** One coloured run of a line; without a colour it is plain. */
export type ColouredRun = { text: string; colour: string | undefined }

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
    return undefined
  }
}

/** The highlighter with this language loaded; undefined when there is no grammar for it. */
export function prepareLanguage(language: string): Promise<HighlighterCore | undefined> {
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

/** Colours a block line by line, so that a growing block is never read from its start again. */
export class BlockHighlighter {
  readonly #highlighter: HighlighterCore
  readonly #language: string
  #done: string[] = []
  #state: GrammarState | undefined
  lines: ColouredRun[][] = []

  constructor(highlighter: HighlighterCore, language: string) {
    this.#highlighter = highlighter
    this.#language = language
  }

  #colourLine(line: string): ColouredRun[] {
    // A minified file in one line would hold the page for seconds.
    if (line.length > 2000) return [{ text: line, colour: undefined }]
    const result = this.#highlighter.codeToTokens(line, {
      lang: this.#language,
      theme: 'al-chat',
      grammarState: this.#state,
    })
    this.#state = result.grammarState
    return mergeRuns(result.tokens[0] ?? [])
  }

  /** Colours what is not coloured yet, for at most `budgetMs`; true when nothing is left. */
  advance(lines: readonly string[], budgetMs: number): boolean {
    const changedAt = this.#done.findIndex((line, index) => line !== lines[index])
    if (changedAt !== -1) {
      this.#done = []
      this.#state = undefined
      this.lines = []
    }
    const until = performance.now() + budgetMs
    const added: ColouredRun[][] = []
    while (this.#done.length < lines.length && performance.now() < until) {
      const line = lines[this.#done.length] ?? ''
      added.push(this.#colourLine(line))
      this.#done.push(line)
    }
    if (added.length > 0) this.lines = [...this.lines, ...added]
    return this.#done.length >= lines.length
  }
}
