/*
 * What stands for a conversation that was made short. OpenAI's own is sealed; this one, for servers that have only
 * chats, is not: it holds no more than its reader was told.
 */

/** What such content begins with, so that OpenAI's own is not taken for it. */
const mark = 'summary.'

const introduction = 'What was said before, in short:'

/** A summary as the `encrypted_content` of a compaction. */
export function packSummary(summary: string): string {
  return mark + Buffer.from(summary).toString('base64')
}

/** What a model is told in place of the conversation; null where the content is not of our making. */
export function unpackSummary(content: string): string | null {
  if (!content.startsWith(mark)) return null
  return `${introduction}\n\n${Buffer.from(content.slice(mark.length), 'base64').toString('utf8')}`
}
