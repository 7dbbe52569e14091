// Whoever asks and then does not read holds a connection, and the memory of what waits for it.

/** Node notices at the first or second look, so that this means 20 to 40 s. */
const PATIENCE_MS = 20_000

/**
 * Cuts connections that have taken none of what waits for them for this long. A slow reader is none of these, nor is one
 * whose answer takes its time: nothing waits for it. Who is cut comes back, and is told the rest.
 * @param {import('node:http').Server} server
 */
export function cutSlowReaders(server, patienceMs = PATIENCE_MS) {
  // Node counts any byte that leaves as a sign of life, also within one large write.
  server.setTimeout(patienceMs, (socket) => {
    const isAnswering = Boolean(Reflect.get(socket, '_httpMessage'))
    if (!isAnswering || socket.writableLength > 0) socket.destroy()
  })
}
