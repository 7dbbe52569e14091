import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

/** A certificate that nobody signed, for localhost and 127.0.0.1, with its key; for tests alone. */
const certificate = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUHgzPolM6jjEOWsKhw2bCXnWSkZUwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTIyMDk1OVoYDzIxMjYxMDI4
MjIwOTU5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAT8vPjNj6U8tKfDTBjjASo9CQPj1iyFc45T/kj2cb7ysn5K1NdqTLG1
wnOJVEV9AqNmH2cEAtEZLhXtsam80zHqo28wbTAdBgNVHQ4EFgQUYCxoX1W37tz4
uHiMHI1FC6oN0TowHwYDVR0jBBgwFoAUYCxoX1W37tz4uHiMHI1FC6oN0TowDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhAPf4Ool1uHrnbVMIYPR9LHygQ6T7+4v6i5NcUhF74KM5AiB+
UMaGl6o8gz20Fis8lI64f+fOEt1Q17h9C19k4XiD0Q==
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgSXUFMlmkGnIFnZ97
mXvy35cy8kQ7UnVN6YeIFUXGVuyhRANCAAT8vPjNj6U8tKfDTBjjASo9CQPj1iyF
c45T/kj2cb7ysn5K1NdqTLG1wnOJVEV9AqNmH2cEAtEZLhXtsam80zHq
-----END PRIVATE KEY-----`,
}

/** A server on 127.0.0.1 that nobody vouches for; `heard` counts the requests that got through to it. */
export async function startUntrusted(): Promise<{
  port: number
  heard: () => number
  close(): Promise<void>
}> {
  let requests = 0
  const sockets = new Set<Duplex>()
  const server = createServer(certificate, (_, response) => {
    requests += 1
    response.end('{"data":[]}')
  })
  server.on('connection', (socket) => sockets.add(socket))
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    heard: () => requests,
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
