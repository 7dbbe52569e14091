import { Lexer, type Token, type Tokens } from 'marked'
import remend from 'remend'

export type { Token, Tokens }

/** The text as top-level blocks; `key` is stable while the text grows at its end. */
export type MarkdownBlock = { key: number; token: Token }

/** What is known of a text that is still growing. Give it back with the longer text. */
export type MarkdownProgress = {
  /** Length of the text whose blocks can no longer change. */
  settledLength: number
  settled: MarkdownBlock[]
  text: string
}

export const noProgress: MarkdownProgress = { settledLength: 0, settled: [], text: '' }

const options = { gfm: true, breaks: false, pedantic: false }

const visible = (tokens: readonly Token[]): Token[] =>
  tokens.filter(({ type }) => type !== 'space' && type !== 'def')

/** All blocks of a finished text. */
export function parseMarkdown(text: string): MarkdownBlock[] {
  return visible(Lexer.lex(text, options)).map((token, key) => ({ key, token }))
}

/**
 * The blocks of a text that grows. Only its tail is parsed again: a block is settled when two more
 * have begun after it, because a line that is still incomplete may yet join the block before.
 * Unfinished emphasis, code and links in the tail are closed, so that nothing flickers.
 */
export function growMarkdown(
  before: MarkdownProgress,
  text: string,
): { blocks: MarkdownBlock[]; progress: MarkdownProgress } {
  const known = text.startsWith(before.text) ? before : noProgress
  const tail = text.slice(known.settledLength)
  const tokens = Lexer.lex(tail, options)
  const shown = visible(tokens)
  const firstOpen = shown.at(-2)
  const openAt = firstOpen ? tokens.indexOf(firstOpen) : 0
  const closed = visible(tokens.slice(0, openAt)).map((token, index) => ({
    key: known.settled.length + index,
    token,
  }))
  const closedLength = tokens.slice(0, openAt).reduce((length, { raw }) => length + raw.length, 0)
  // marked turns tabs and line ends into its own; settle only what can be found again in the text.
  const exact = tail.startsWith(
    tokens
      .slice(0, openAt)
      .map(({ raw }) => raw)
      .join(''),
  )
  const progress = exact
    ? { settledLength: known.settledLength + closedLength, settled: [...known.settled, ...closed], text }
    : { ...known, text }
  const open = parseMarkdown(remend(text.slice(progress.settledLength), { linkMode: 'text-only' }))
  const shift = progress.settled.length
  return {
    blocks: [...progress.settled, ...open.map(({ key, token }) => ({ key: key + shift, token }))],
    progress,
  }
}

const safeProtocol = /^(?:https?|mailto):/i

/** An address that a link may have: absolute http, https or mailto. Everything else is shown as text. */
export function safeAddress(href: string): string | undefined {
  // Browsers drop these characters before they read the protocol.
  const address = Array.from(href.trim())
    .filter((character) => character > '\u0020')
    .join('')
  return safeProtocol.test(address) ? address : undefined
}
