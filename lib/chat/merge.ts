/**
 * What several sources tell, each in its own order, as it comes; what is there together comes together. A source is
 * asked for more only when its last piece was taken, so nothing piles up here. After the signal comes nothing more.
 * Throws what the first of them throws.
 */
export async function* mergePieces<T>(
  sources: AsyncGenerator<T[]>[],
  signal: AbortSignal,
): AsyncGenerator<T[]> {
  const told: { source: AsyncGenerator<T[]>; piece: T[] }[] = []
  const failures: unknown[] = []
  let going = sources.length
  let wake = () => {}
  const ask = (source: AsyncGenerator<T[]>) => {
    const take = ({ done, value }: IteratorResult<T[]>) => {
      if (done) going--
      else told.push({ source, piece: value })
    }
    void source
      .next()
      .then(take, (error: unknown) => void failures.push(error))
      .then(() => wake())
  }
  try {
    for (const source of sources) ask(source)
    while (going > 0) {
      if (told.length === 0 && failures.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (signal.aborted) return
      if (failures.length > 0) throw failures[0]
      const taken = told.splice(0)
      if (taken.length > 0) yield taken.flatMap(({ piece }) => piece)
      for (const { source } of taken) ask(source)
    }
  } finally {
    for (const source of sources) void source.return(undefined)
  }
}
