import type { ToldMessage } from '../chat'
import type { ChatCall } from '../contracts/chat-calls'
import { maxMessageLength } from '../contracts/limits'
import { AppError } from '../errors'

/**
 * A client's history as turns of a conversation, without the empty ones. What it calls the system's is told as the
 * user's: what the system says is the agent's own.
 */
export function toTold(history: NonNullable<ChatCall['history']>): ToldMessage[] {
  return history
    .filter(({ content }) => content.trim() !== '')
    .map(({ role, content }) => ({ role: role === 'assistant' ? 'assistant' : 'user', text: content }))
}

/** The message with what was attached to it as text, each file under its name. Throws invalid_input if that is too long. */
export function composeText({
  message,
  attached_files,
}: Pick<ChatCall, 'message' | 'attached_files'>): string {
  const files = (attached_files ?? []).flatMap(({ name, content }, index) =>
    content === undefined ? [] : [writeFile(name ?? `file ${index + 1}`, content)],
  )
  const text = [message, ...files].join('\n\n')
  if (text.length <= maxMessageLength) return text
  const said = `The message and its files are at most ${maxMessageLength} characters together.`
  throw new AppError('invalid_input', said, { issues: [{ path: 'attached_files', message: said }] })
}

/** Fenced by more backquotes than there are in it, so that its end is its end. */
function writeFile(name: string, content: string): string {
  const longest = Math.max(2, ...[...content.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${name}:\n${fence}\n${content}\n${fence}`
}

/** Ids of the attached files that were uploaded. */
export function listFileIds({ attached_files }: Pick<ChatCall, 'attached_files'>): string[] {
  return (attached_files ?? []).flatMap(({ file_id }) => file_id ?? [])
}
