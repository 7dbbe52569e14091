import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type IncomingFile, readForm } from '../../lib/http'

const boundary = 'b0undary'
const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` }

function partOf(disposition: string, content: string): string {
  return `--${boundary}\r\ncontent-disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`
}
const end = `--${boundary}--\r\n`

/** A request whose body comes in these pieces. */
function requestOf(pieces: Iterable<Uint8Array>): Request {
  const all = pieces[Symbol.iterator]()
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const { done, value } = all.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })
  return new Request('http://here/', Object.assign({ method: 'POST', headers, body }, { duplex: 'half' }))
}

function* cut(bytes: Buffer, lengths: number[]): Generator<Uint8Array> {
  let at = 0
  for (const length of lengths) {
    yield new Uint8Array(bytes.subarray(at, at + length))
    at += length
  }
  yield new Uint8Array(bytes.subarray(at))
}

async function readAll({ filename, content }: IncomingFile) {
  const chunks: Buffer[] = []
  for await (const chunk of content) chunks.push(chunk)
  return { filename, bytes: Buffer.concat(chunks) }
}
const dropNothing = async () => undefined
const read = (request: Request) => readForm(request, { take: readAll, drop: dropNothing })
const codeOf = (reading: Promise<unknown>) =>
  reading.then(
    () => null,
    (error) => error.code,
  )

test('a form is read alike in whatever pieces it comes', async () => {
  const whole = fc.uint8Array({ maxLength: 3000 })
  const lengths = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(whole, lengths, fc.boolean(), async (content, cuts, isFileFirst) => {
      const file = partOf('name="file"; filename="a.bin"', Buffer.from(content).toString('latin1'))
      const field = partOf('name="purpose"', 'vision')
      const body = Buffer.from(isFileFirst ? file + field + end : field + file + end, 'latin1')
      const form = await read(requestOf(cut(body, cuts)))
      expect(form.fields).toEqual({ purpose: 'vision' })
      expect(form.file.filename).toBe('a.bin')
      expect(form.file.bytes.equals(content)).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test('no more of a body is fetched than its file is read', async () => {
  let fetched = 0
  function* endless() {
    yield Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n`)
    for (let count = 0; count < 800; count++) {
      fetched += 64 * 1024
      yield new Uint8Array(64 * 1024)
    }
    yield Buffer.from(`\r\n${end}`)
  }
  let goOn = () => {}
  const held = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const reading = readForm(requestOf(endless()), {
    take: async (file) => {
      await held
      return (await readAll(file)).bytes.length
    },
    drop: dropNothing,
  })
  // Everything that could be fetched ahead has been.
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(fetched).toBeLessThan(1024 * 1024)
  goOn()
  expect((await reading).file).toBe(800 * 64 * 1024)
})

test('what was read of a body is not kept', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  let most = 0
  function* long() {
    yield Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n`)
    for (let count = 0; count < 1000; count++) {
      yield new Uint8Array(64 * 1024)
      if (count % 200 === 199) {
        collectGarbage()
        most = Math.max(most, process.memoryUsage().arrayBuffers)
      }
    }
    yield Buffer.from(`\r\n${end}`)
  }
  collectGarbage()
  const before = process.memoryUsage().arrayBuffers
  const { file } = await readForm(requestOf(long()), {
    take: async ({ content }) => {
      let bytes = 0
      for await (const chunk of content) bytes += chunk.length
      return bytes
    },
    drop: dropNothing,
  })
  expect(file).toBe(1000 * 64 * 1024)
  expect(most - before).toBeLessThan(32 * 1024 * 1024)
})

test.each([
  ['nothing', ''],
  ['no end', partOf('name="file"; filename="a"', 'abc')],
  ['no file', partOf('name="purpose"', 'vision') + end],
  ['a file in another field', partOf('name="upload"; filename="a"', 'abc') + end],
  ['two files', partOf('name="file"; filename="a"', 'a') + partOf('name="file"; filename="b"', 'b') + end],
  [
    'a field twice',
    partOf('name="a"', '1') + partOf('name="a"', '2') + partOf('name="file"; filename="b"', 'b') + end,
  ],
  [
    'a field that is too long',
    partOf('name="a"', 'a'.repeat(1001)) + partOf('name="file"; filename="b"', 'b') + end,
  ],
  ['too many fields', Array.from({ length: 11 }, (_, i) => partOf(`name="f${i}"`, '1')).join('') + end],
  ['a field called __proto__ alone', partOf('name="__proto__"', '1') + end],
])('a form with %s is refused, and what was taken of it is dropped', async (_, body) => {
  let taken = 0
  let dropped = 0
  const form = readForm(requestOf([Buffer.from(body)]), {
    take: async (file) => {
      await readAll(file)
      taken += 1
    },
    drop: async () => {
      dropped += 1
    },
  })
  expect(await codeOf(form)).toBe('invalid_input')
  expect(dropped).toBe(taken)
})

test('what is no form is refused as such', async () => {
  for (const type of [
    'application/json',
    'multipart/form-data',
    'multipart/mixed; boundary=x',
    'application/x-www-form-urlencoded',
  ]) {
    const request = new Request('http://here/', {
      method: 'POST',
      headers: { 'content-type': type },
      body: 'a',
    })
    expect(await codeOf(read(request)), type).toBe('unsupported_media_type')
  }
})

test('bytes of any sort are a form or are refused, and nothing else happens', async () => {
  const pieces = fc.array(
    fc.constantFrom(
      `--${boundary}`,
      '--',
      '\r\n',
      '\r\n\r\n',
      'content-disposition: form-data; name="file"; filename="a"',
      'content-disposition: form-data; name="x"',
      'content-type: text/plain; charset=nonsense',
      'content-transfer-encoding: base64',
      '"',
      ';',
      'abc',
      '\0',
    ),
    { maxLength: 25 },
  )
  await fc.assert(
    fc.asyncProperty(pieces, async (words) => {
      const request = requestOf([Buffer.from(words.join(''))])
      expect([null, 'invalid_input']).toContain(await codeOf(read(request)))
    }),
    { numRuns: 1500 },
  )
})
