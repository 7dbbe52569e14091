import {
  demoCode,
  demoContinued,
  demoError,
  demoFiles,
  demoLong,
  demoMarkdown,
  demoShort,
  demoSlow,
  demoWelcome,
} from './demo-texts'
import type { ModelMessage } from './port'

/** What the demo model says, how fast (tokens a second), and whether it breaks off at the end of its text. */
export type DemoScript = { text: string; tokensPerSecond: number; fails: boolean }

const signature = '\n\n*This is the demo model: a text written in advance, not an AI.*'

const shows: [word: RegExp, text: string, tokensPerSecond: number][] = [
  [/\bmarkdown\b/i, demoMarkdown, 80],
  [/\bcode\b/i, demoCode, 80],
  [/\blong\b/i, demoLong, 100],
  [/\bslow(ly)?\b/i, demoSlow, 4],
]

/** Chooses by the last message alone, and by whether it is the first; the same words get the same answer. */
export function chooseScript(messages: ModelMessage[]): DemoScript {
  const last = messages.findLast(({ role }) => role === 'user')
  if (last?.files) return { text: demoFiles(last.files), tokensPerSecond: 80, fails: false }
  const asked = last?.text ?? ''
  if (/\berror\b/i.test(asked)) return { text: demoError, tokensPerSecond: 80, fails: true }
  const show = shows.find(([word]) => word.test(asked))
  if (show) return { text: show[1] + signature, tokensPerSecond: show[2], fails: false }
  const isFirst = !messages.some(({ role }) => role === 'assistant')
  return { text: isFirst ? demoWelcome : demoShort, tokensPerSecond: 80, fails: false }
}

/** What the demo model had left to say when the answer that is the last message broke off. */
export function chooseRest(messages: ModelMessage[]): DemoScript {
  const said = messages.at(-1)?.text ?? ''
  const script = chooseScript(messages.slice(0, -1))
  const rest = script.text.startsWith(said) ? script.text.slice(said.length) : ''
  return { text: rest || demoContinued, tokensPerSecond: script.tokensPerSecond, fails: false }
}
