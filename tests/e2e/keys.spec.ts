import AxeBuilder from '@axe-core/playwright'
import type { Locator, Page } from '@playwright/test'
import { test as base, expect } from '../support/browser'
import { Chat, noteComplaints } from '../support/chat-page'
import { Client, password } from '../support/client'
import { findSecret, isInMemory } from '../support/secret-search'

class Keys {
  readonly page: Page
  readonly table: Locator
  readonly dialog: Locator
  readonly shown: Locator

  constructor(page: Page) {
    this.page = page
    this.table = page.getByRole('table', { name: 'API keys' })
    this.dialog = page.getByRole('dialog')
    this.shown = this.dialog.locator('code')
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
    await expect(this.shown).toHaveText(/^alc_/)
    return (await this.shown.textContent()) ?? ''
  }
}

const test = base.extend<{ keys: Keys }>({
  keys: async ({ page, baseURL }, use) => {
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

test('an API key is made, used by a program, revoked, and refused from then on', async ({
  keys,
  page,
  baseURL,
}) => {
  await new Chat(page).post('/api/projects', { name: 'Reports' })
  await expect(page.getByRole('heading', { name: 'No API keys yet' })).toBeVisible()
  const key = await keys.make('Nightly report')
  await keys.dialog.getByRole('button', { name: 'Copy' }).click()
  await expect(keys.dialog.getByRole('button', { name: 'Copied' })).toBeVisible()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key)
  await keys.dialog.getByRole('button', { name: 'Done' }).click()
  const row = keys.table.getByRole('row').filter({ hasText: 'Nightly report' })
  await expect(row).toContainText(key.slice(-4))
  await expect(row).toContainText('Read the portal')
  await expect(row).toContainText('Never')

  const program = new Client(`${baseURL}`, key)
  const { status, body } = await program.get('/api/projects')
  expect([status, (body.items as unknown as { name: string }[]).map(({ name }) => name)]).toEqual([
    200,
    ['Reports'],
  ])
  expect((await program.post('/api/projects', { name: 'Not allowed' })).status).toBe(403)

  await row.getByRole('button', { name: /Revoke/ }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Revoke key' }).click()
  await expect(page.getByRole('heading', { name: 'No API keys yet' })).toBeVisible()
  await expect.poll(async () => (await program.get('/api/projects')).status).toBe(401)
})

test('a key is shown once and then is nowhere in the page and in the browser', async ({ keys, page }) => {
  const key = await keys.make('Once')
  expect(await findSecret(page, key)).toEqual(['html'])
  await keys.dialog.getByRole('button', { name: 'Done' }).click()
  await expect(keys.dialog).toHaveCount(0)
  expect(await findSecret(page, key)).toEqual([])
  expect(await isInMemory(page, key)).toBe(false)
  await page.reload()
  await expect(keys.table).toContainText(key.slice(-4))
  expect(await findSecret(page, key)).toEqual([])

  const other = await keys.make('Left in a hurry')
  await page.goto('/login')
  await page.goBack()
  await expect(keys.table).toContainText(other.slice(-4))
  expect(await findSecret(page, other)).toEqual([])
})

test('a key that was not copied is not lost by a stray press of Escape', async ({ keys, page }) => {
  const key = await keys.make('Careful')
  await page.keyboard.press('Escape')
  await expect(keys.dialog.getByRole('alert')).toContainText('not copied yet')
  await expect(keys.shown).toHaveText(key)
  await keys.dialog.getByRole('button', { name: 'Copy' }).click()
  await page.keyboard.press('Escape')
  await expect(keys.dialog).toHaveCount(0)
})

test('what a key may do, reaches, costs and how long it lasts are as chosen', async ({
  keys,
  page,
  baseURL,
}) => {
  const chat = new Chat(page)
  const { id } = await chat.post('/api/projects', { name: 'Apollo' })
  await chat.post('/api/projects', { name: 'Gemini' })
  await page.reload()
  await page.getByRole('button', { name: 'New key' }).click()
  await keys.dialog.getByLabel('Name').fill('Bound')
  await keys.dialog.getByRole('checkbox', { name: 'Change the portal' }).check()
  await keys.dialog.getByRole('combobox', { name: 'Ends after' }).click()
  await page.getByRole('option', { name: '30 days' }).click()
  await keys.dialog.getByLabel('Budget').fill('2.50')
  await keys.dialog.getByRole('combobox', { name: 'Reaches' }).click()
  await page.getByRole('option', { name: /Apollo/ }).click()
  await keys.dialog.getByRole('button', { name: 'Make key' }).click()
  await expect(keys.shown).toHaveText(/^alc_/)
  const program = new Client(`${baseURL}`, await keys.shown.textContent())
  await keys.dialog.getByRole('button', { name: 'Done' }).click()
  const row = keys.table.getByRole('row').filter({ hasText: 'Bound' })
  await expect(row).toContainText('Read the portal, Change the portal')
  await expect(row).toContainText('Apollo')
  await expect(row).toContainText('Budget $2.50')
  const [record] = (await (await page.request.get('/api/keys')).json()).items
  expect(Math.round((Date.parse(record.expires_at) - Date.now()) / 86_400_000)).toBe(30)
  expect(record).toMatchObject({ project_id: id, budget_usd: 2.5, scopes: ['portal:read', 'portal:write'] })
  expect((await program.get(`/api/projects/${id}`)).status).toBe(200)
})

test('a key that ends soon is on the dashboard', async ({ keys, page }) => {
  const chat = new Chat(page)
  const expires_at = new Date(Date.now() + 3.5 * 86_400_000).toISOString()
  await chat.post('/api/keys', { name: 'Weekly', scopes: ['chat'], expires_at })
  await page.goto('/dashboard')
  const notices = page.getByRole('region', { name: 'Keys in trouble' })
  await expect(notices).toContainText('API key “Weekly”. Ends in 3 days')
  await notices.getByRole('link', { name: /Open API keys/ }).click()
  await expect(keys.table).toContainText('Weekly')
})

test('the first call that the page shows is one that works', async ({ keys, page, baseURL }) => {
  const key = await keys.make('By curl')
  await keys.dialog.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('button', { name: 'Copy the command' }).click()
  const command = await page.evaluate(() => navigator.clipboard.readText())
  const [, url, name, value] = /^curl (\S+) \\\n\s+-H "([^:]+): ([^"]+)"$/.exec(command) ?? []
  expect(url).toBe(`${baseURL}/api/projects`)
  const answer = await fetch(`${url}`, { headers: { [`${name}`]: `${value}`.replace('$AL_CHAT_KEY', key) } })
  expect(answer.status).toBe(200)
})

for (const width of [1440, 360])
  for (const colorScheme of ['light', 'dark'] as const)
    test(`API keys have no violation at any step, ${colorScheme}, ${width} px`, async ({ keys, page }) => {
      await page.setViewportSize({ width, height: 800 })
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      const check = async () => {
        const { violations } = await new AxeBuilder({ page }).analyze()
        expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
        expect(Math.max(0, overflow)).toBe(0)
      }
      await check()
      await keys.begin()
      await check()
      await keys.dialog.getByLabel('Name').fill('A key')
      await keys.dialog.getByRole('button', { name: 'Make key' }).click()
      await expect(keys.shown).toHaveText(/^alc_/)
      await check()
      await keys.dialog.getByRole('button', { name: 'Done' }).click()
      await expect(keys.table).toBeVisible()
      await check()
    })
