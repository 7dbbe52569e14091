// The readers of a measurement, in a process of their own: each opens one answer and reads it to its end.
import { Agent, request as ask } from 'node:http'
import { v7 as newId } from 'uuid'

const agent = new Agent({ keepAlive: true })

/**
 * @typedef {{ method: string, url: string, headers: Record<string, string>, body?: string }} Call
 * @typedef {{ firstMs: number, tookMs: number, tokens: number, pieces: number, isWhole: boolean, events: number }} Reading
 * @typedef {{ url: string, token: string, conversationId: string, text: string }} Talk
 * @typedef {{ url: string, body: string, key?: string }} Post
 * @typedef {Post & { kind: 'pipe', count: number, rampMs: number }} PipeTask
 * @typedef {{ kind: 'chat', talks: Talk[], rampMs: number }} ChatTask
 * @typedef {Post & { kind: 'many', count: number, atOnce: number }} ManyTask
 * @typedef {Post & { kind: 'leave' }} LeaveTask
 * @typedef {PipeTask | ChatTask | ManyTask | LeaveTask} Task
 */

/** @type {(call: Call, onText: (text: string) => void) => Promise<number>} */
function send({ method, url, headers, body }, onText) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const call = ask(url, { agent, method, headers: { ...headers, ...length } }, (answer) => {
      answer.setEncoding('latin1').on('data', onText)
      answer.on('end', () => resolve(answer.statusCode ?? 0))
      answer.on('error', reject)
    })
    call.on('error', reject)
    call.end(body)
  })
}

/** Counts tokens (each is the word " word") and notes when the first came. @param {number} startedAt */
function counter(startedAt) {
  const reading = { firstMs: 0, tookMs: 0, tokens: 0, pieces: 0, isWhole: false, events: 0, rest: '' }
  let isSamePiece = false
  /** @param {string} text */
  const take = (text) => {
    const all = reading.rest + text
    let found = 0
    let at = all.indexOf(' word')
    let last = 0
    for (; at >= 0; at = all.indexOf(' word', last)) {
      found += 1
      last = at + 5
    }
    if (found > 0 && reading.tokens === 0) reading.firstMs = performance.now() - startedAt
    reading.tokens += found
    // What one reading of the connection brought is told chunk by chunk, before anything else is done.
    if (!isSamePiece) {
      reading.pieces += 1
      process.nextTick(() => {
        isSamePiece = false
      })
    }
    isSamePiece = true
    reading.events += text.split('event: text').length - 1
    if (all.includes('completed') || all.includes('[DONE]')) reading.isWhole = true
    reading.rest = all.slice(Math.max(last, all.length - 12))
  }
  return { reading, take }
}

/** @type {(post: Post) => Promise<Reading>} */
async function readPiped({ url, body, key }) {
  const startedAt = performance.now()
  const { reading, take } = counter(startedAt)
  const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) }
  const status = await send({ method: 'POST', url, headers, body }, take)
  if (status !== 200) throw new Error(`${url} answered with ${status}`)
  reading.tookMs = performance.now() - startedAt
  return reading
}

/** @type {(talk: Talk) => Promise<Reading>} */
async function readChat({ url, token, conversationId, text }) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const { reading, take } = counter(performance.now())
  let answer = ''
  const body = JSON.stringify({ id: newId(), parent_id: null, text })
  const post = { method: 'POST', url: `${url}/api/conversations/${conversationId}/messages`, headers, body }
  const status = await send(post, (piece) => {
    answer += piece
  })
  if (status !== 202) throw new Error(`${status}: ${answer}`)
  const path = JSON.parse(answer).reply.events_url
  // The terminal event tells the whole message again: its words are not counted.
  const events = untilEnd(take)
  await send({ method: 'GET', url: url + path, headers }, events)
  return reading
}

/** @type {(take: (text: string) => void) => (text: string) => void} */
function untilEnd(take) {
  let isOver = false
  return (text) => {
    if (isOver) return
    const end = text.indexOf('event: completed')
    isOver = end >= 0
    take(isOver ? text.slice(0, end + 16) : text)
  }
}

/** @type {(count: number, rampMs: number, read: (index: number) => Promise<Reading>) => Promise<Reading[]>} */
function ramp(count, rampMs, read) {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      await new Promise((done) => setTimeout(done, (rampMs * index) / count))
      return read(index)
    }),
  )
}

/** So many calls in all, so many of them at once; only the last reading is kept. @param {ManyTask} task */
async function callMany(task) {
  let left = task.count
  /** @type {Reading[]} */
  let last = []
  const one = async () => {
    while (left-- > 0) last = [await readPiped(task)]
  }
  await Promise.all(Array.from({ length: task.atOnce }, one))
  return last
}

/**
 * Reads the beginning of a stream and goes; tells when, in milliseconds since 1970.
 * @type {(post: Post) => Promise<{ leftAtMs: number }[]>}
 */
function leave({ url, body, key }) {
  const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) }
  return new Promise((resolve, reject) => {
    const call = ask(url, { agent, method: 'POST', headers }, (answer) => {
      answer.once('data', () => {
        call.destroy()
        resolve([{ leftAtMs: performance.timeOrigin + performance.now() }])
      })
    })
    call.on('error', reject)
    call.end(body)
  })
}

/** @param {Task} task @returns {Promise<object[]>} */
function run(task) {
  if (task.kind === 'leave') return leave(task)
  if (task.kind === 'pipe') return ramp(task.count, task.rampMs, () => readPiped(task))
  if (task.kind === 'many') return callMany(task)
  return ramp(task.talks.length, task.rampMs, (index) => readChat(/** @type {Talk} */ (task.talks[index])))
}

process.on('message', (/** @type {Task} */ task) => {
  run(task).then(
    (readings) => process.send?.({ readings }),
    (error) => process.send?.({ failure: String(error) }),
  )
})
process.once('disconnect', () => process.exit(0))
process.send?.({ ready: true })
