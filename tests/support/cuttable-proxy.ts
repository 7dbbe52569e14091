import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A line between a browser and a server that can be cut. */
export type CuttableProxy = {
  /** Such as `http://127.0.0.1:41234`. */
  url: string
  /** Open connections whose last request begins like this, such as `GET /api/events`. */
  count(request: string): number
  /** Requests that began like this, since the start. */
  total(request: string): number
  /** Breaks all connections and refuses new ones. */
  cut(): Promise<void>
  /** Lets the browser through again. */
  restore(): Promise<void>
  /** Holds all bytes back, both ways, and lets no new connection through, as a network does that is gone without a word. */
  stall(): void
  close(): Promise<void>
}

type Line = { browser: Socket; server: Socket; request: string }

const requestLine = /^[A-Z]+ \S+ HTTP\/1\.1\r\n/

/** Starts a TCP proxy on a port of its own to the server at `target`. */
export async function startCuttableProxy(target: string): Promise<CuttableProxy> {
  const { hostname, port } = new URL(target)
  const lines = new Set<Line>()
  const requests: string[] = []
  let isStalled = false

  const note = (line: Line, chunk: Buffer): void => {
    const [begin] = requestLine.exec(chunk.subarray(0, 4096).toString('latin1')) ?? []
    if (!begin) return
    line.request = begin
    requests.push(begin)
  }
  const stall = ({ browser, server }: Line): void => {
    browser.pause()
    server.pause()
  }
  const join = (browser: Socket): void => {
    const server = connect(Number(port), hostname)
    const line: Line = { browser, server, request: '' }
    lines.add(line)
    const end = (): void => {
      lines.delete(line)
      browser.destroy()
      server.destroy()
    }
    for (const socket of [browser, server]) socket.on('error', end).on('close', end)
    browser.on('data', (chunk) => {
      note(line, chunk)
      if (!server.write(chunk)) browser.pause()
    })
    server.on('drain', () => isStalled || browser.resume())
    server.on('data', (chunk) => {
      if (!browser.write(chunk)) server.pause()
    })
    browser.on('drain', () => isStalled || server.resume())
    if (isStalled) stall(line)
  }

  const listener = createServer(join)
  const listen = async (on: number): Promise<number> => {
    listener.listen(on, '127.0.0.1')
    await once(listener, 'listening')
    return (listener.address() as AddressInfo).port
  }
  const cut = async (): Promise<void> => {
    const closed = listener.listening ? once(listener, 'close') : undefined
    listener.close()
    for (const { browser } of lines) browser.resetAndDestroy()
    await closed
  }
  const own = await listen(0)
  return {
    url: `http://127.0.0.1:${own}`,
    count: (request) => [...lines].filter((line) => line.request.startsWith(request)).length,
    total: (request) => requests.filter((line) => line.startsWith(request)).length,
    cut,
    async restore() {
      if (isStalled) {
        isStalled = false
        // What was on its way when the network went is lost with it.
        for (const { browser } of lines) browser.resetAndDestroy()
      }
      if (!listener.listening) await listen(own)
    },
    stall() {
      isStalled = true
      for (const line of lines) stall(line)
    },
    close: cut,
  }
}
