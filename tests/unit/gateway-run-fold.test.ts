import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Fold } from '../../lib/gateway/run-fold'
import { ResponseStream } from '../../lib/gateway/translate/stream'
import { chatAnswers, chatHabits, chunksOf } from '../support/chat-answers'

const origin = { request: { model: 'asked' }, id: `resp_${'0'.repeat(48)}`, createdAt: 1_700_000_000 }

test('wherever a response is cut off, its events make what it would have been cancelled with', () => {
  fc.assert(
    fc.property(chatAnswers, chatHabits, fc.nat(30), (answer, habits, cut) => {
      const stream = new ResponseStream(origin)
      const fold = new Fold()
      for (const chunk of chunksOf(answer, habits).slice(0, cut))
        for (const event of stream.take(chunk))
          fold.take({ seq: event.sequence_number, type: event.type, data: JSON.stringify(event) })
      expect(fold.output()).toEqual(JSON.parse(JSON.stringify(stream.cancel().output)))
    }),
    { numRuns: 300 },
  )
})
