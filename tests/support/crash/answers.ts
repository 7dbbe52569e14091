import { chooseScript } from '../../../lib/providers/demo-script'
import type { Script, Split } from '../openai'

/** Who is asked: models behind the wire-faithful upstream, with and without resumable answers, and the demo model. */
export const kinds = ['plain', 'background', 'reasoning', 'demo', 'backgroundReasoning'] as const
export type Kind = (typeof kinds)[number]

/** What an agent of each kind is made with. */
export const agentsByKind: Record<Kind, Record<string, unknown>> = {
  plain: {},
  background: { background: true },
  reasoning: { reasoning_effort: 'low' },
  demo: { model_provider: 'demo' },
  backgroundReasoning: { background: true, reasoning_effort: 'low' },
}

/** A question, what upstream is scripted to say to it, and what has to be read in the end. */
export type Answer = { question: string; script: Script | null; text: string; reasoning: string }

export type Chance = () => number
/** A whole number from `least` to `most`. */
export const between = (chance: Chance, least: number, most: number) =>
  least + Math.floor(chance() * (most - least + 1))
export const oneOf = <T>(chance: Chance, choices: readonly T[]): T =>
  choices[Math.floor(chance() * choices.length)] as T

const scraps = [
  'word ',
  'and then ',
  'Straße, façade, naïve ',
  '世界和平，',
  'これは長い文です。',
  '👋🏽 ',
  '👩‍👩‍👧‍👦',
  '🇪🇺 ',
  '\n\n- item\n',
  '```ts\nconst a = 1\n```\n',
  'data: not an event\n\n',
  'e\u0301',
  '\u202eright to left\u202c ',
  ' <b>&amp;</b> ',
] as const

/** Pieces of text as a model might send them; now and then the two halves of a character come apart. */
function makePieces(chance: Chance, count: number): string[] {
  const pieces: string[] = []
  for (let n = 0; n < count; n++) {
    if (chance() < 0.03) pieces.push('\ud83e', '\udd80')
    else pieces.push(oneOf(chance, scraps))
  }
  return pieces
}

/** A question to an agent of this kind that nobody has asked before, with the answer that it will get. */
export function planAnswer(chance: Chance, kind: Kind, mark: string): Answer {
  if (kind === 'demo') return planDemo(chance, mark)
  const pieces = makePieces(chance, between(chance, 5, 160))
  const thoughts = kind.toLowerCase().includes('reasoning')
    ? [makePieces(chance, 20).join('').toWellFormed(), 'Second thoughts.']
    : []
  const script: Script = {
    text: pieces,
    ...(thoughts.length > 0 ? { reasoning: thoughts } : {}),
    tokensPerSecond: oneOf(chance, [30, 60, 120, 400]),
    firstByteDelayMs: oneOf(chance, [0, 0, 40, 200]),
    split: oneOf<Split>(chance, ['events', 'bytes', { random: between(chance, 1, 1e6) }]),
    crlf: chance() < 0.2,
    unknownEvents: chance() < 0.3,
    queuedMs: oneOf(chance, [0, 50]),
  }
  return { question: `Say it. ${mark}`, script, text: pieces.join(''), reasoning: thoughts.join('\n\n') }
}

function planDemo(chance: Chance, mark: string): Answer {
  const question = `${oneOf(chance, ['code', 'markdown'])}, please ${mark}`
  const { text } = chooseScript([{ role: 'user', text: question }])
  return { question, script: null, text, reasoning: '' }
}
