import { expect, test } from 'vitest'
import { textStream } from '@/lib/http'

/** Pieces that count how many were made and whether they were given up. */
function count(pieces: string[], fault?: Error) {
  const seen = { made: 0, isGivenUp: false }
  async function* make() {
    try {
      for (const piece of pieces) {
        seen.made += 1
        yield piece
      }
      if (fault) throw fault
    } finally {
      seen.isGivenUp = true
    }
  }
  return { seen, pieces: make() }
}

const headers = { 'content-type': 'text/plain; charset=utf-8' }

test('the text is the pieces one after the other, in UTF-8', async () => {
  const response = textStream(count(['a', '', 'é漢', 'z']).pieces, headers)
  expect(response.headers.get('content-type')).toBe(headers['content-type'])
  expect(await response.text()).toBe('aé漢z')
})

test('no piece is made before it is read, and none after the reader has gone', async () => {
  const { seen, pieces } = count(['a', 'b', 'c', 'd'])
  const reader = textStream(pieces, headers).body?.getReader()
  expect(seen.made).toBe(0)
  await reader?.read()
  await reader?.read()
  expect(seen).toEqual({ made: 2, isGivenUp: false })
  await reader?.cancel()
  expect(seen).toEqual({ made: 2, isGivenUp: true })
})

test('a fault on the way breaks the text off, and is told to the reader as such', async () => {
  const { seen, pieces } = count(['a', 'b'], new Error('the database went away'))
  await expect(textStream(pieces, headers).text()).rejects.toThrow()
  expect(seen).toEqual({ made: 2, isGivenUp: true })
})
