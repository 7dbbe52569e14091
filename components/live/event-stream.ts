/** One event of a server-sent event stream, as the HTML standard dispatches it. */
export type StreamEvent = { id: string; type: string; data: string }

export type EventStreamParser = {
  /** Takes the next piece of text, cut anywhere, and returns the events that it completed. */
  push(text: string): StreamEvent[]
}

type Fields = { type: string; data: string[] }

/**
 * Parses text/event-stream as the HTML standard says (section 9.2.6): CR, LF and CRLF end lines,
 * comments are skipped, `data` lines join with LF, and an unfinished event is never dispatched.
 */
export function createEventStreamParser(): EventStreamParser {
  let rest = ''
  let lastId = ''
  let atStart = true
  let fields: Fields = { type: '', data: [] }

  function readLine(line: string): StreamEvent | undefined {
    if (line === '') {
      const { type, data } = fields
      fields = { type: '', data: [] }
      return data.length === 0 ? undefined : { id: lastId, type: type || 'message', data: data.join('\n') }
    }
    const colon = line.indexOf(':')
    if (colon === 0) return undefined
    const name = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'data') fields.data.push(value)
    else if (name === 'event') fields.type = value
    else if (name === 'id' && !value.includes('\u0000')) lastId = value
    return undefined
  }

  return {
    push(text) {
      rest += text
      if (atStart && rest !== '') {
        atStart = false
        if (rest.startsWith('\uFEFF')) rest = rest.slice(1)
      }
      const events: StreamEvent[] = []
      const lineEnd = /\r\n|\r|\n/g
      let begin = 0
      for (let end = lineEnd.exec(rest); end !== null; end = lineEnd.exec(rest)) {
        // A CR at the very end may be the first half of a CRLF.
        if (end[0] === '\r' && end.index === rest.length - 1) break
        const event = readLine(rest.slice(begin, end.index))
        if (event) events.push(event)
        begin = lineEnd.lastIndex
      }
      rest = rest.slice(begin)
      return events
    },
  }
}
