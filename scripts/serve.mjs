// The server: Next under a plain HTTP server of our own, which names every request, starts with one clear line or not
// at all, and stops without cutting anybody off. `--dev` serves with hot reload.
import { createServer } from 'node:http'
import { resolve } from 'node:path'
import { answerDirectly } from './direct.mjs'
import { explainListening, loadEnvironment, readAddress } from './environment.mjs'
import { drainRequests, drainWork, followAnswer, onStop, shutDown, watchParent } from './lifecycle.mjs'
import { noteServer } from './processes.mjs'
import { Problem, runCommand, say, secondsSince } from './report.mjs'
import { answerStarting, answerUnreadable, nameRequest, refuseRequest } from './requests.mjs'
import { cutSlowReaders } from './slow-readers.mjs'

/** @typedef {import('node:http').RequestListener} RequestListener */

const HEADERS_TIMEOUT_MS = 20_000
const REQUEST_TIMEOUT_MS = 600_000
const KEEP_ALIVE_MS = 75_000
const HEADER_BYTES = 32 * 1024
const HEADER_COUNT = 100

const dev = process.argv.includes('--dev')

// Whoever read what the server says may be gone. The error of the first line that nobody took would be a line for
// nobody too, and so on for ever.
for (const output of [process.stdout, process.stderr]) output.on('error', () => {})

runCommand(async () => {
  const started = performance.now()
  process.chdir(resolve(import.meta.dirname, '..'))
  loadEnvironment()
  Object.assign(process.env, { NODE_ENV: dev ? 'development' : 'production', NEXT_TELEMETRY_DISABLED: '1' })
  const server = createOwnServer()
  // Taken before anything is started: a second server fails here and leaves nothing half-made.
  const url = await listen(server)
  stopWhenAsked(server)
  noteServer(dev ? `${distDir()}/dev` : distDir(), url)
  say(`  Starting AL-Chat${dev ? ' with hot reload' : ''} …`)
  server.on('request', await prepareNext(server, url))
  server.off('request', answerStarting)
  say(`\nAL-Chat is ready at ${url} (${secondsSince(started)})\n`)
})

function distDir() {
  return process.env.AL_DIST_DIR ?? '.next'
}

function createOwnServer() {
  const server = createServer(
    // A request without a host is refused by us, with a name.
    { maxHeaderSize: HEADER_BYTES, keepAliveTimeout: KEEP_ALIVE_MS, requireHostHeader: false },
    answerStarting,
  )
  server.headersTimeout = HEADERS_TIMEOUT_MS
  server.requestTimeout = REQUEST_TIMEOUT_MS
  server.maxHeadersCount = HEADER_COUNT
  server.on('clientError', answerUnreadable)
  cutSlowReaders(server)
  return server
}

/**
 * @param {import('node:http').Server} server
 * @returns {Promise<string>} the address to open
 */
async function listen(server) {
  const address = readAddress()
  await new Promise((done, fail) => {
    server.once('error', (error) => fail(explainListening(address, error)))
    server.listen(address.port, address.host, () => done(undefined))
  })
  const bound = server.address()
  const port = bound && typeof bound === 'object' ? bound.port : address.port
  process.env.PORT = String(port)
  const everywhere = ['0.0.0.0', '::', ''].includes(address.host)
  const host = everywhere ? 'localhost' : address.host.includes(':') ? `[${address.host}]` : address.host
  return `http://${host}:${port}${everywhere ? `, and on every address of this machine` : ''}`
}

/**
 * @param {import('node:http').Server} server
 * @param {string} url
 * @returns {Promise<RequestListener>}
 */
async function prepareNext(server, url) {
  const { default: next } = await import('next')
  const { hostname, port } = new URL(url.split(',')[0] ?? url)
  const booted = expectBoot()
  const app = next({
    dev,
    dir: process.cwd(),
    hostname: nameForNext(hostname),
    port: Number(port),
    httpServer: server,
  })
  try {
    await Promise.race([app.prepare(), booted])
    await booted
  } catch (error) {
    await shutDown()
    throw explainBoot(error)
  }
  const handle = app.getRequestHandler()
  return (request, response) => {
    followAnswer(response)
    nameRequest(request, response)
    if (refuseRequest(request, response)) return
    if (!dev && answerDirectly(request, response)) return
    handle(request, response).catch((/** @type {unknown} */ error) => {
      console.error(error)
      response.destroy()
    })
  }
}

/**
 * Next calls a loopback address `localhost`, whatever it is told: what proxy.ts leads elsewhere would look like another
 * server's then, and go there as a request over the network.
 * @param {string} hostname
 */
function nameForNext(hostname) {
  return /^(127\.|\[::1\]$)/.test(hostname) ? 'localhost' : hostname
}

/**
 * Settles when the application's own start has: Next answers before that, and only logs when it fails, so
 * instrumentation.ts reports here.
 */
function expectBoot() {
  return new Promise((resolve, reject) => Object.assign(globalThis, { __alChatBoot: { resolve, reject } }))
}

/**
 * What the application says in its own words is one line; anything else is a fault of the program, told in full.
 * @param {unknown} error
 */
function explainBoot(error) {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause.name === 'AppError' || cause.name === 'EnvError') return new Problem(cause.message)
  return error
}

/** @param {import('node:http').Server} server */
function stopWhenAsked(server) {
  const stop = onStop(async (reason) => {
    say(`\n  Stopping (${reason}) …`)
    await drainWork()
    await drainRequests(server)
    await shutDown()
    say('  Stopped.')
  })
  watchParent(() => stop('npm is gone'))
}
