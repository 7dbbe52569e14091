import fc from 'fast-check'

type Shape = { [name: string]: unknown }

/** Objects, some levels deep, of fields of these names (one after the other, with spaces) with values of any kind, each of them likely. */
export function shapesOf(words: string): fc.Arbitrary<Shape> {
  const names = words.split(' ')
  const { object } = fc.letrec<{ object: Shape; value: unknown }>((tie) => ({
    object: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 4 }),
    value: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(
        fc.constantFrom(...names),
        fc.constantFrom(
          '',
          'user',
          'assistant',
          'message',
          'function',
          'function_call',
          'custom',
          'stop',
          'length',
        ),
        fc.constantFrom<unknown>(null, true, 0, 1, -1.5),
        fc.string({ maxLength: 5 }),
      ),
      { arbitrary: tie('object'), weight: 1 },
      { arbitrary: fc.array(tie('value'), { maxLength: 2 }), weight: 1 },
    ),
  }))
  return object
}
