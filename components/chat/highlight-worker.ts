import { BlockColours, type ColouringAnswer, type ColouringRequest } from './highlight'

// Grammars are compiled and lines coloured apart from the page, which must never wait for them.
const blocks = new Map<number, BlockColours>()

addEventListener('message', ({ data }: MessageEvent<ColouringRequest>) => {
  const { block, language, from, lines } = data
  if (lines === null) {
    blocks.delete(block)
    return
  }
  const colours = blocks.get(block) ?? new BlockColours(language)
  blocks.set(block, colours)
  void colours.colour(from, lines).then((coloured) => {
    if (coloured) postMessage({ block, from, lines: coloured } satisfies ColouringAnswer)
  })
})
