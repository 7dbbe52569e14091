/** How the event ends that tells that OpenAI begins to run a tool. No text of a model holds a line end. */
const mark = Buffer.from('_call.in_progress\n')

/** Counts the tools that a server begins to run, from the bytes of its stream of a response, cut anywhere. */
export class ToolRuns {
  #count = 0
  /** Less than the mark is long. */
  #end: Buffer = Buffer.alloc(0)

  get count(): number {
    return this.#count
  }

  take(bytes: Buffer): void {
    const all = this.#end.length > 0 ? Buffer.concat([this.#end, bytes]) : bytes
    for (let at = all.indexOf(mark); at !== -1; at = all.indexOf(mark, at + mark.length)) this.#count++
    this.#end = Buffer.from(all.subarray(Math.max(0, all.length - mark.length + 1)))
  }
}
