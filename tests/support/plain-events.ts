/** Data of events without names, as older clients read them: line by line, whatever begins with `data: `. */
async function* readData(response: Response): AsyncGenerator<Record<string, unknown>> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('data: ')) yield JSON.parse(line.slice('data: '.length))
  }
}

/** All of them. Throws for an answer that is no stream of events. */
export async function readAllData(response: Response): Promise<Record<string, unknown>[]> {
  const type = response.headers.get('content-type') ?? ''
  if (!type.startsWith('text/event-stream')) throw new Error(`${response.status} ${await response.text()}`)
  const all = []
  for await (const data of readData(response)) all.push(data)
  return all
}
