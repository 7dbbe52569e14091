// The heap of a running server, collected and measured from outside through Node's inspector.
import { setTimeout as sleep } from 'node:timers/promises'

const PATIENCE_MS = 10_000

/** @typedef {{ heapMb: number, residentMb: number }} Memory */

/**
 * Opens the inspector of a server that was started with `--inspect-port=0`; until then it costs the server nothing.
 * @param {{ pid: number, output: () => string }} server
 * @returns {Promise<{ collect: () => Promise<Memory>, close: () => void }>}
 */
export async function openHeap({ pid, output }) {
  process.kill(pid, 'SIGUSR1')
  const socket = new WebSocket(await findAddress(output))
  await new Promise((done, fail) => {
    socket.addEventListener('open', done, { once: true })
    socket.addEventListener('error', fail, { once: true })
  })
  let lastId = 0
  /** @type {(method: string, params?: object) => Promise<any>} */
  const ask = (method, params) =>
    new Promise((done) => {
      const id = ++lastId
      /** @param {MessageEvent} event */
      const hear = ({ data }) => {
        const message = JSON.parse(data)
        if (message.id !== id) return
        socket.removeEventListener('message', hear)
        done(message.result)
      }
      socket.addEventListener('message', hear)
      socket.send(JSON.stringify({ id, method, params }))
    })
  return { collect: () => collect(ask), close: () => socket.close() }
}

/** @param {() => string} output */
async function findAddress(output) {
  const deadline = performance.now() + PATIENCE_MS
  while (performance.now() < deadline) {
    const address = /Debugger listening on (ws:\S+)/.exec(output())?.[1]
    if (address) return address
    await sleep(20)
  }
  throw new Error('The inspector of the server does not open.')
}

/**
 * What lives after two collections; what the first one frees may hold on to more.
 * @param {(method: string, params?: object) => Promise<any>} ask
 * @returns {Promise<Memory>}
 */
async function collect(ask) {
  // Notes that nobody waits for, of the last calls, are on their way.
  await sleep(1000)
  for (let n = 0; n < 2; n++) await ask('HeapProfiler.collectGarbage')
  const expression = 'JSON.stringify(process.memoryUsage())'
  const { result } = await ask('Runtime.evaluate', { expression })
  const { heapUsed, external, rss } = JSON.parse(result.value)
  return { heapMb: (heapUsed + external) / 2 ** 20, residentMb: rss / 2 ** 20 }
}
