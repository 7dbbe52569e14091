import { lastUserInput } from './text.ts'
import type { Body, JournalEntry, Match, Script, ScriptSource } from './types.ts'

const generating = ['/v1/responses', '/v1/chat/completions', '/v1/completions']

/** What a script is matched against. */
export type Asked = { entry: JournalEntry; path: string; body: Body; key: string }

/** Tells whether a call makes the model speak; only such calls take scripts that name no path. */
function isGenerating({ entry, path }: Asked): boolean {
  return entry.method === 'POST' && generating.includes(path)
}

/** The scripts still to be used, first come, first used. */
export class ScriptQueue {
  private queued: { source: ScriptSource; left: number }[] = []

  /** Adds a script for so many requests; without a number one, for a function all. */
  add(source: ScriptSource, times?: number): void {
    const left = times ?? (typeof source === 'function' ? Number.POSITIVE_INFINITY : 1)
    this.queued.push({ source, left })
  }

  /** Takes the script for a request; the empty one when none is meant for it. */
  take(asked: Asked): Script {
    for (const queued of this.queued) {
      const script = resolve(queued.source, asked)
      if (script === undefined) continue
      queued.left -= 1
      this.queued = this.queued.filter(({ left }) => left > 0)
      return script
    }
    return {}
  }

  clear(): void {
    this.queued = []
  }
}

function resolve(source: ScriptSource, asked: Asked): Script | undefined {
  if (typeof source === 'function') return isGenerating(asked) ? source(asked.entry) : undefined
  return matches(source.match ?? {}, asked) ? source : undefined
}

function matches(match: Match, asked: Asked): boolean {
  const { path, method, model, input, key } = match
  if (path === undefined ? !isGenerating(asked) : !asked.path.startsWith(path)) return false
  if (method !== undefined && method !== asked.entry.method) return false
  if (model !== undefined && model !== asked.body.model) return false
  if (key !== undefined && key !== asked.key) return false
  return input === undefined || lastUserInput(asked.body).includes(input)
}
