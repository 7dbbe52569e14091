import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ToolRuns } from '@/lib/gateway/tool-runs'

const event = (type: string, more: object = {}) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`
const stream = [
  event('response.web_search_call.in_progress'),
  event('response.web_search_call.searching'),
  event('response.web_search_call.completed'),
  event('response.output_text.delta', { delta: 'web_search_call.in_progress\n_call.in_progress\n' }),
  event('response.file_search_call.in_progress'),
  event('response.mcp_call.in_progress'),
].join('')

test('each tool counts once, however the stream was cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length), { maxLength: 40 }), (places) => {
      const runs = new ToolRuns()
      const cuts = [0, ...places.toSorted((a, b) => a - b), stream.length]
      for (const [index, end] of cuts.entries())
        runs.take(Buffer.from(stream).subarray(cuts[index - 1] ?? 0, end))
      expect(runs.count).toBe(3)
    }),
  )
})
