import type { Locator, Page } from '@playwright/test'
import { test as base, expect } from './browser'
import { noteComplaints } from './chat-page'
import { password } from './client'
import { type OpenAIServer, startOpenAI } from './openai'

/** The pages about API keys as someone uses them who is signed in. */
export class Keys {
  readonly page: Page
  readonly table: Locator
  readonly dialog: Locator
  readonly shown: Locator
  readonly traffic: Locator

  constructor(page: Page) {
    this.page = page
    this.table = page.getByRole('table', { name: 'API keys' })
    this.dialog = page.getByRole('dialog')
    this.shown = this.dialog.locator('code').first()
    this.traffic = page.getByRole('table', { name: 'Traffic' })
  }

  /** Opens the window by its letter, which is heard from when the page has come to life. */
  async begin(): Promise<void> {
    const field = this.dialog.getByLabel('Name')
    await expect(async () => {
      if ((await this.dialog.count()) === 0) await this.page.keyboard.press('n')
      await expect(field).toBeFocused({ timeout: 2000 })
    }).toPass()
    await field.fill('')
  }

  /** N, a name, Enter; returns the key as it is shown. */
  async make(name: string): Promise<string> {
    await this.begin()
    await this.page.keyboard.type(name)
    await this.page.keyboard.press('Enter')
    return this.read()
  }

  /** The key that is shown. */
  async read(): Promise<string> {
    await expect(this.shown).toHaveText(/^alc_/)
    return (await this.shown.textContent()) ?? ''
  }

  async unfoldLimits(): Promise<void> {
    await this.dialog.getByRole('button', { name: 'Limits' }).click()
    await expect(this.dialog.getByLabel('Budget')).toBeVisible()
  }

  /** Goes to the page of a key by its line in the list. */
  async open(name: string): Promise<void> {
    await this.table.getByRole('link', { name }).click()
    await expect(this.page.getByRole('heading', { level: 1 })).toContainText(name)
  }

  row(name: string): Locator {
    return this.table.getByRole('row').filter({ hasText: name })
  }

  copied(): Promise<string> {
    return this.page.evaluate(() => navigator.clipboard.readText())
  }
}

/**
 * Someone new at `/keys`, whom a server of OpenAI's dialect serves; whatever the browser complains about on the way is a
 * failure.
 */
export const test = base.extend<{ keys: Keys }, { upstream: OpenAIServer }>({
  upstream: [
    async ({ browserName: _ }, use) => {
      const upstream = await startOpenAI()
      await use(upstream)
      await upstream.close()
    },
    { scope: 'worker' },
  ],
  serverEnv: [
    async ({ upstream }, use) =>
      use({ OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'sk-test-of-the-pages-of-keys' }),
    { scope: 'worker' },
  ],
  keys: async ({ page, baseURL, upstream }, use) => {
    upstream.reset()
    const complaints = noteComplaints(page)
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.goto('/login')
    const made = await page.request.post('/api/auth/register', {
      data: { email: `keys-${crypto.randomUUID()}@example.com`, password, name: 'Ada' },
      headers: { origin: baseURL },
    })
    expect(made.status()).toBe(201)
    await page.goto('/keys')
    await use(new Keys(page))
    expect(complaints).toEqual([])
  },
})

export { expect } from './browser'
