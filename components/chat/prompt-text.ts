import type { PromptRecord } from '@/lib/contracts/projects'

const place = /\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\}\}/g

/** What a prompt asks for, in the order of its text; variables that it only lists come last. */
export function variablesOf(
  prompt: Pick<PromptRecord, 'content' | 'variables'>,
): { name: string; initial: string }[] {
  const inText = [...prompt.content.matchAll(place)].map(([, name]) => name ?? '')
  const names = new Set([...inText, ...prompt.variables.map(({ name }) => name)])
  return [...names].map((name) => ({
    name,
    initial: prompt.variables.find((variable) => variable.name === name)?.default ?? '',
  }))
}

/** The prompt's text with its places filled; what is put in is never read as a place again. */
export function fillPrompt(content: string, values: Readonly<Record<string, string>>): string {
  return content.replace(place, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? '') : whole,
  )
}

/** The prompts whose title or text has every word of what was typed after the slash. */
export function matchPrompts(prompts: readonly PromptRecord[], typed: string): PromptRecord[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean)
  const rank = ({ title }: PromptRecord): number => (title.toLowerCase().startsWith(words[0] ?? '') ? 0 : 1)
  return prompts
    .filter(({ title, content }) => {
      const text = `${title}\n${content}`.toLowerCase()
      return words.every((word) => text.includes(word))
    })
    .sort((a, b) => rank(a) - rank(b))
}
