import { test as base, type Page } from '@playwright/test'
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

/** Keeps the code of every page from coming until the returned function is called: the page stays as the server drew it. */
export async function holdScripts(page: Page): Promise<() => void> {
  let release = (): void => {}
  const held = new Promise<void>((go) => {
    release = go
  })
  await page.route('**/_next/static/**/*.js', async (route) => {
    await held
    await route.continue()
  })
  return release
}

export { expect } from '@playwright/test'
