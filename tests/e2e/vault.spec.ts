import AxeBuilder from '@axe-core/playwright'
import type { Locator, Page } from '@playwright/test'
import { test as base, expect } from '../support/browser'
import { Chat, noteComplaints } from '../support/chat-page'
import { password, signUp } from '../support/client'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { findSecret, formsOf, isInMemory } from '../support/secret-search'
import { startServer } from '../support/server'

/** Someone who is signed in, with OpenAI played by a server of the test's own. */
const test = base.extend<{ vault: Vault }, { upstream: OpenAIServer }>({
  upstream: [
    // biome keeps empty patterns out, and Playwright wants one here.
    async ({ playwright: _ }, use) => {
      const upstream = await startOpenAI()
      await use(upstream)
      await upstream.close()
    },
    { scope: 'worker' },
  ],
  serverEnv: [async ({ upstream }, use) => use({ OPENAI_BASE_URL: upstream.baseUrl }), { scope: 'worker' }],
  vault: async ({ page, baseURL, upstream }, use) => {
    upstream.reset()
    // Whoever comes first is the admin; the person of these tests is a member.
    await signUp(`${baseURL}`)
    const complaints = noteComplaints(page)
    await page.goto('/login')
    const made = await page.request.post('/api/auth/register', {
      data: { email: `vault-${crypto.randomUUID()}@example.com`, password, name: 'Ada' },
      headers: { origin: baseURL },
    })
    expect(made.status()).toBe(201)
    await page.goto('/vault')
    await use(new Vault(page))
    expect(complaints).toEqual([])
  },
})

class Vault {
  readonly page: Page
  readonly table: Locator
  readonly dialog: Locator
  readonly secret: Locator

  constructor(page: Page) {
    this.page = page
    this.table = page.getByRole('table', { name: 'Keys' })
    this.dialog = page.getByRole('dialog')
    this.secret = this.dialog.getByLabel(/^(New key|Key)$/)
  }

  row(text: string): Locator {
    return this.table.getByRole('row').filter({ hasText: text })
  }

  /** Opens the window by its letter, which is heard from when the page has come to life. */
  async begin(): Promise<void> {
    await expect(async () => {
      if ((await this.dialog.count()) === 0) await this.page.keyboard.press('n')
      await expect(this.secret).toBeFocused({ timeout: 2000 })
    }).toPass()
    await this.secret.fill('')
  }

  /** As few keystrokes as there are: N, paste, Enter. */
  async add(key: string): Promise<void> {
    await this.begin()
    await this.page.keyboard.insertText(key)
    await this.page.keyboard.press('Enter')
    await expect(this.dialog).toHaveCount(0)
  }

  async choose(last4: string, item: RegExp): Promise<void> {
    await this.page.getByRole('button', { name: new RegExp(`Actions for .*${last4}`) }).click()
    await this.page.getByRole('menuitem', { name: item }).click()
  }
}

test('a key is added, tested at once, serves a chat, is replaced and deleted', async ({
  vault,
  page,
  upstream,
}) => {
  const chat = new Chat(page)
  const agent = await chat.makeAgent({ model_provider: 'openai', model_name: 'gpt-5-mini' })
  await page.reload()
  await vault.add('sk-test-the-first-one-aaaa')
  const first = vault.row('aaaa')
  await expect(first).toContainText(/Works, \d+ models? \(\d+ ms\)/)
  await expect(first).toContainText('You')
  await expect(first).toContainText('127.0.0.1')
  await expect(page.getByRole('listitem').filter({ hasText: 'Your own keys' })).toContainText('Serves')

  await chat.open(agent)
  upstream.script({ text: 'With the first key.' })
  await chat.ask('hello')
  await expect(chat.answer).toContainText('With the first key.')
  expect(upstream.journal.at(-1)?.headers.authorization).toBe('Bearer sk-test-the-first-one-aaaa')

  await page.goto('/vault')
  await vault.choose('aaaa', /Replace/)
  await expect(vault.secret).toBeFocused()
  await page.keyboard.insertText('sk-test-the-second-one-bbbb')
  await page.keyboard.press('Enter')
  await expect(vault.row('bbbb')).toContainText('Works')
  await expect(vault.row('aaaa')).toHaveCount(0)

  await chat.open(agent)
  await chat.ask('again')
  expect(upstream.journal.at(-1)?.headers.authorization).toBe('Bearer sk-test-the-second-one-bbbb')

  await page.goto('/vault')
  await vault.choose('bbbb', /Delete/)
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete key' }).click()
  await expect(page.getByRole('heading', { name: 'No keys yet' })).toBeVisible()
  await chat.open(agent)
  await chat.ask('and now?')
  await expect(chat.answer.getByRole('link', { name: 'Open the vault' })).toBeVisible()
})

test('what is wrong with a key is said in words, and stays in its row', async ({ vault, page, upstream }) => {
  await vault.add('sk-wrong-key-of-somebody-cccc')
  await expect(vault.row('cccc')).toContainText(/refused/i)
  await page.reload()
  await expect(vault.row('cccc')).toContainText(/refuse/i)

  upstream.script({ match: { path: '/v1/models' }, error: 'insufficient_quota' })
  upstream.script({ error: 'insufficient_quota' })
  await vault.add('sk-test-with-no-credit-dddd')
  await expect(vault.row('dddd')).toContainText(/quota|credit/i)

  await vault.begin()
  await page.keyboard.insertText('any-word-eeee')
  await vault.dialog.getByRole('combobox', { name: 'Provider' }).click()
  await page.getByRole('option', { name: /OpenAI-compatible/ }).click()
  // Nobody listens at this port.
  await vault.dialog.getByLabel('Address').fill('http://127.0.0.1:9/v1')
  await page.keyboard.press('Enter')
  await expect(vault.row('eeee')).toContainText(/could not be reached|does not answer|not reach/i)
  // Whatever was said, nobody said the key.
  for (const key of ['sk-wrong-key-of-somebody', 'sk-test-with-no-credit'])
    expect(await page.content()).not.toContain(key)
})

test('a key leaves nothing behind in the page and in the browser', async ({ vault, page, upstream }) => {
  const said: string[] = []
  page.on('console', (message) => said.push(message.text()))
  const canary = `sk-test-canary-${crypto.randomUUID()}`
  await vault.begin()
  await page.keyboard.type(canary)
  // While it is typed, it is in the field and nowhere else.
  expect(await findSecret(page, canary)).toEqual(['fields'])
  await page.keyboard.press('Enter')
  await expect(vault.row(canary.slice(-4))).toContainText('Works')
  expect(upstream.journal.at(-1)?.headers.authorization).toBe(`Bearer ${canary}`)
  expect(await findSecret(page, canary)).toEqual([])

  // A key that could not be saved stays in its field, and goes with the window.
  const other = `sk-test-canary-${crypto.randomUUID()}`
  await page.route('**/api/credentials', (route) => route.abort())
  await vault.begin()
  await page.keyboard.type(other)
  await page.keyboard.press('Enter')
  await expect(vault.dialog.getByRole('alert')).toContainText('AL-Chat did not answer')
  await expect(vault.secret).toHaveValue(other)
  expect(await findSecret(page, other)).toEqual(['fields'])
  await page.keyboard.press('Escape')
  await expect(vault.dialog).toHaveCount(0)
  expect(await findSecret(page, other)).toEqual([])
  await page.keyboard.press('n')
  await expect(vault.secret).toHaveValue('')
  await vault.begin()
  await page.keyboard.type(other)

  // Nor is it there for who goes elsewhere and comes back.
  await page.goto('/login')
  await page.goBack()
  await expect(vault.table).toBeVisible()
  expect(await findSecret(page, other)).toEqual([])
  for (const secret of [canary, other]) {
    expect(said.filter((text) => formsOf(secret).some((form) => text.includes(form)))).toEqual([])
    expect(await isInMemory(page, secret)).toBe(false)
  }
})

test('a key that could not be saved need not be typed again', async ({ vault, page }) => {
  await page.route('**/api/credentials', (route) => route.abort(), { times: 1 })
  await vault.begin()
  await page.keyboard.insertText('sk-test-typed-only-once-ffff')
  await page.keyboard.press('Enter')
  await expect(vault.dialog.getByRole('alert')).toBeVisible()
  await vault.secret.press('Enter')
  await expect(vault.row('ffff')).toContainText('Works')
})

test('the provider is guessed from the key; AL-Chat’s own keys are not sent anywhere', async ({
  vault,
  page,
}) => {
  const provider = vault.dialog.getByRole('combobox', { name: 'Provider' })
  await vault.begin()
  await vault.secret.fill('sk-ant-api03-something')
  await expect(provider).toContainText('Anthropic')
  await vault.secret.fill('sk-or-v1-something')
  await expect(provider).toContainText('OpenAI-compatible')
  await expect(vault.dialog.getByLabel('Address')).toHaveValue('https://openrouter.ai/api/v1')
  await vault.secret.fill('sk-proj-something')
  await expect(provider).toHaveText('OpenAI')
  await vault.secret.fill('alc_something')
  await page.keyboard.press('Enter')
  await expect(vault.dialog).toContainText('a key of AL-Chat itself')
  const { items } = await (await page.request.get('/api/credentials')).json()
  expect(items).toEqual([])
})

test('label and last day are changed; a key that ends soon is said so there and on the dashboard', async ({
  vault,
  page,
}) => {
  await vault.add('sk-test-with-an-end-9999')
  await vault.choose('9999', /Label/)
  await vault.dialog.getByLabel('Label').fill('Team')
  const soon = new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10)
  await vault.dialog.getByLabel('Last day').fill(soon)
  await page.keyboard.press('Enter')
  await expect(vault.row('9999')).toContainText('Team')
  await page.reload()
  await expect(vault.row('9999')).toContainText('Ends in 5 days')
  await page.goto('/dashboard')
  const notices = page.getByRole('region', { name: 'Keys in trouble' })
  await expect(notices).toContainText('OpenAI key ending 9999 (Team). Ends in 5 days')
  await notices.getByRole('link', { name: /Open the vault/ }).click()
  await vault.choose('9999', /Label/)
  await vault.dialog.getByLabel('Label').fill('')
  await vault.dialog.getByLabel('Last day').fill('')
  await page.keyboard.press('Enter')
  await expect(vault.row('9999')).not.toContainText('Team')
  await page.goto('/dashboard')
  await expect(page.getByRole('region', { name: 'Launch' })).toBeVisible()
  await expect(notices).toHaveCount(0)
})

test('a key that the provider refuses is on the dashboard, with what to do', async ({ vault, page }) => {
  await vault.add('sk-wrong-key-of-somebody-gggg')
  await expect(vault.row('gggg')).toContainText(/refused/i)
  await page.goto('/dashboard')
  await expect(page.getByRole('region', { name: 'Keys in trouble' })).toContainText(
    'OpenAI key ending gggg. The provider refuses it. Replace it.',
  )
  const tiles = page.getByRole('region', { name: 'Launch' }).getByRole('link')
  const tile = tiles.filter({ hasText: 'OpenAI key ending gggg. The provider refuses it.' }).first()
  await expect(tile).toBeVisible()
  await tile.click()
  const alert = page.getByRole('alert').filter({ hasText: 'The provider refuses it.' })
  await expect(alert).toBeVisible()
  await alert.getByRole('link', { name: 'Open it all the same' }).click()
  await expect(page).toHaveURL(/\/chat\//)
})

test('the order shows for each agent which key serves it', async ({ vault, page }) => {
  const chat = new Chat(page)
  await chat.makeAgent({ name: 'Needs OpenAI', model_provider: 'openai', model_name: 'gpt-5-mini' })
  await chat.makeAgent({ name: 'Needs nothing', model_provider: 'demo' })
  await page.reload()
  await vault.add('sk-test-for-the-order-hhhh')
  const order = page.getByRole('region', { name: /Which key serves/ })
  const served = order.getByRole('listitem').and(page.locator('[aria-current=step]'))
  for (const [agent, source] of [
    ['Needs OpenAI', 'Your own keys'],
    ['Needs nothing', 'Demo model'],
  ] as const) {
    await order.getByRole('combobox', { name: 'Show the order for' }).click()
    await page.getByRole('option', { name: agent }).click()
    await expect(served).toContainText(source)
    await expect(served).toHaveCount(1)
  }
})

test('the admin rotates the vault’s key, sees it done, and sees whose key serves someone else', async ({
  browser,
  vault,
}) => {
  // The first account of a server is its admin’s, so this one has a server of its own.
  const own = await startServer()
  const context = await browser.newContext({ baseURL: own.url })
  const admin = new Vault(await context.newPage())
  const { page } = admin
  const complaints = noteComplaints(page)
  const data = { email: 'root@example.com', password, name: 'Root' }
  expect((await page.request.post('/api/auth/register', { data, headers: { origin: own.url } })).ok()).toBe(
    true,
  )
  await signUp(own.url, 'babbage')
  await page.goto('/vault')
  await admin.add('sk-wrong-of-the-admin-rrrr')
  const region = page.getByRole('region', { name: 'The vault’s own key' })
  await expect(region).toContainText('Version 1')
  await region.getByRole('button', { name: /Rotate/ }).click()
  await expect(page.getByRole('alertdialog')).toContainText('every key is sealed anew')
  await page.getByRole('alertdialog').getByRole('button', { name: 'Rotate key' }).click()
  await expect(region).toContainText(/Version 2, since .*The rotation is done/)
  await expect(region.getByRole('link', { name: 'Audit' })).toHaveAttribute('href', '/admin/audit')
  await page.getByRole('combobox', { name: 'For whom' }).click()
  await page.getByRole('option', { name: /babbage/ }).click()
  const order = page.getByRole('region', { name: /Which key serves babbage/ })
  await expect(order.locator('[aria-current=step]')).toContainText('Demo model')
  await expect(order).not.toContainText('rrrr')
  expect(complaints).toEqual([])
  await context.close()
  await own.close()
  // A member has none of it.
  await expect(vault.page.getByRole('region', { name: 'Where keys may go' })).toBeVisible()
  await expect(vault.page.getByRole('region', { name: 'The vault’s own key' })).toHaveCount(0)
  await expect(vault.page.getByRole('combobox', { name: 'For whom' })).toHaveCount(0)
})

test('many keys are narrowed by whose they are, by words, and by trouble', async ({ vault, page }) => {
  const chat = new Chat(page)
  const { id } = await chat.post('/api/projects', { name: 'Apollo' })
  for (let n = 0; n < 9; n++) {
    const mine = n % 3 > 0 ? {} : { projectId: id }
    await chat.post('/api/credentials', {
      ...mine,
      credentialType: 'openai',
      label: `Key number ${n}`,
      credentials: { api_key: `sk-test-one-of-many-000${n}` },
    })
  }
  await page.reload()
  const bodyRows = vault.table.locator('tbody tr')
  await expect(bodyRows).toHaveCount(9)
  await page.getByRole('button', { name: /Projects/ }).click()
  await expect(bodyRows).toHaveCount(3)
  await page.getByRole('searchbox', { name: 'Find a key' }).fill('apollo 0003')
  await expect(bodyRows).toHaveCount(1)
  await expect(bodyRows).toContainText('Key number 3')
  await vault.page.getByRole('searchbox', { name: 'Find a key' }).fill('nothing has this')
  await expect(page.getByText('No key has all of these words.')).toBeVisible()
})

test('all of it works from the keyboard alone', async ({ vault, page }) => {
  await vault.add('sk-test-by-the-keyboard-kkkk')
  await expect(vault.row('kkkk')).toContainText('Works')
  const menu = page.getByRole('button', { name: /Actions for .*kkkk/ })
  await menu.focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('menu')).toBeFocused()
  await page.keyboard.press('ArrowDown')
  await expect(page.getByRole('menuitem', { name: /Replace/ })).toBeFocused()
  await page.keyboard.press('d')
  await expect(page.getByRole('menuitem', { name: /Delete/ })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('alertdialog')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('alertdialog')).toHaveCount(0)
  await expect(menu).toBeFocused()
  // N is a letter like any other while something is typed.
  await vault.begin()
  await page.keyboard.type('nnn')
  await expect(vault.secret).toHaveValue('nnn')
  await page.keyboard.press('Escape')
  await expect(vault.dialog).toHaveCount(0)
})

for (const width of [1440, 360])
  for (const colorScheme of ['light', 'dark'] as const)
    test(`the vault with all that can be said of a key has no violation, ${colorScheme}, ${width} px`, async ({
      vault,
      page,
    }) => {
      await page.setViewportSize({ width, height: 800 })
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await vault.add('sk-test-a-good-one-1111')
      await vault.add('sk-wrong-a-bad-one-2222')
      await expect(vault.row('2222')).toContainText(/refused/i)
      const check = async () => {
        const { violations } = await new AxeBuilder({ page }).analyze()
        expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
        expect(Math.max(0, overflow)).toBe(0)
      }
      await check()
      await vault.begin()
      await check()
    })
