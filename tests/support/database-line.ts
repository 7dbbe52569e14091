import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from 'node:net'

/** A line to a database server that can be cut. */
export type DatabaseLine = {
  /** The database, by way of this line. */
  url: string
  /** Breaks every connection, and refuses new ones until `mend`. */
  cut(): void
  /** Holds every byte back, as a network does that has lost its way, until `mend`: connections are made, and silent. */
  silence(): void
  /** Everything is as it should be; what was held back goes on its way. */
  mend(): void
  close(): Promise<void>
}

type Weather = 'open' | 'refusing' | 'silent'

/** Lays a TCP line to the database that a URL names, over TCP or a Unix socket. */
export async function layLine(databaseUrl: string): Promise<DatabaseLine> {
  const target = targetOf(new URL(databaseUrl))
  const pairs = new Set<Socket[]>()
  let weather: Weather = 'open'
  const server = createServer((near) => {
    if (weather === 'refusing') return void near.resetAndDestroy()
    const far = connect(target)
    const pair = [near, far]
    pairs.add(pair)
    pass(near, far)
    pass(far, near)
    near.once('close', () => pairs.delete(pair))
    if (weather === 'silent') for (const socket of pair) socket.pause()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const cut = () => {
    weather = 'refusing'
    for (const [near] of pairs) near?.resetAndDestroy()
  }
  return {
    url: urlThrough((server.address() as AddressInfo).port, databaseUrl),
    cut,
    silence: () => {
      weather = 'silent'
      for (const socket of [...pairs].flat()) socket.pause()
    },
    mend: () => {
      weather = 'open'
      for (const socket of [...pairs].flat()) socket.resume()
    },
    close: async () => {
      cut()
      await new Promise((done) => server.close(done))
    },
  }
}

function targetOf(url: URL): NetConnectOpts {
  const socketFolder = url.searchParams.get('host')
  if (socketFolder?.startsWith('/')) return { path: `${socketFolder}/.s.PGSQL.${url.port || 5432}` }
  return { host: url.hostname, port: Number(url.port || 5432) }
}

function urlThrough(port: number, databaseUrl: string): string {
  const url = new URL(databaseUrl)
  url.searchParams.delete('host')
  url.host = `127.0.0.1:${port}`
  return url.href
}

function pass(from: Socket, to: Socket): void {
  from.on('error', () => undefined)
  from.on('data', (bytes) => to.write(bytes))
  from.once('close', () => to.destroy())
}
