import AxeBuilder from '@axe-core/playwright'
import { Chat } from '../support/chat-page'
import { Client } from '../support/client'
import { expect, test } from '../support/keys-page'
import { findSecret, isInMemory } from '../support/secret-search'

test('an API key is made, used by a program, revoked, and refused from then on', async ({
  keys,
  page,
  baseURL,
}) => {
  await new Chat(page).post('/api/projects', { name: 'Reports' })
  await expect(page.getByRole('heading', { name: 'No API keys yet' })).toBeVisible()
  await keys.begin()
  await keys.dialog.getByLabel('Name').fill('Nightly report')
  await keys.dialog.getByRole('checkbox', { name: 'Models' }).uncheck()
  await keys.dialog.getByRole('checkbox', { name: 'Read the portal' }).check()
  await page.keyboard.press('Enter')
  const key = await keys.read()
  // What it may not do is not offered as a first call.
  await keys.dialog.getByRole('button', { name: 'Copy' }).click()
  await expect(keys.dialog.getByRole('button', { name: 'Copied' })).toBeVisible()
  expect(await keys.copied()).toBe(key)
  await keys.dialog.getByRole('button', { name: 'Done' }).click()
  const row = keys.row('Nightly report')
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

  await row.getByRole('button', { name: /^Actions/ }).click()
  await page.getByRole('menuitem', { name: 'Revoke…' }).click()
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
  await keys.dialog.getByRole('button', { name: 'Copy' }).first().click()
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
  await keys.dialog.getByRole('checkbox', { name: 'Read the portal' }).check()
  await keys.dialog.getByRole('combobox', { name: 'Ends after' }).click()
  await page.getByRole('option', { name: '30 days' }).click()
  await keys.dialog.getByRole('combobox', { name: 'Reaches' }).click()
  await page.getByRole('option', { name: /Apollo/ }).click()
  await keys.dialog.getByRole('button', { name: 'Make key' }).click()
  const program = new Client(`${baseURL}`, await keys.read())
  await keys.dialog.getByRole('button', { name: 'Done' }).click()
  const row = keys.row('Bound')
  await expect(row).toContainText('Models, Read the portal')
  await expect(row).toContainText('Apollo')
  const [record] = (await (await page.request.get('/api/keys')).json()).items
  expect(Math.round((Date.parse(record.expires_at) - Date.now()) / 86_400_000)).toBe(30)
  expect(record).toMatchObject({ project_id: id, budget_usd: null, scopes: ['gateway', 'portal:read'] })
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
      await keys.unfoldLimits()
      await keys.dialog.getByLabel('Models', { exact: true }).fill('gpt')
      await expect(page.getByRole('option').first()).toBeVisible()
      await check()
      await keys.dialog.getByLabel('Name').fill('A key')
      await keys.dialog.getByRole('button', { name: 'Make key' }).click()
      await keys.read()
      await check()
      await keys.dialog.getByRole('button', { name: 'Done' }).click()
      await expect(keys.table).toBeVisible()
      await check()
      await keys.open('A key')
      await expect(page.getByRole('heading', { name: 'No calls yet' })).toBeVisible()
      await check()
      await page.getByRole('button', { name: 'Ask' }).click()
      await expect(page.getByRole('region', { name: 'Answer' })).toContainText('in all')
      await check()
    })
