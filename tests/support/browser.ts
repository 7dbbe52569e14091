import { test as base } from '@playwright/test'
import { startServer, type TestServer } from './server'

/** Playwright's test with a server of its own for each worker; `page.goto('/login')` goes there. */
export const test = base.extend<
  { baseURL: string },
  { server: TestServer; serverEnv: Record<string, string> }
>({
  serverEnv: [{}, { scope: 'worker', option: true }],
  server: [
    async ({ serverEnv }, use) => {
      const server = await startServer(serverEnv)
      await use(server)
      await server.close()
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  baseURL: async ({ server }, use) => use(server.url),
})

export { expect } from '@playwright/test'
