import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { test as base, expect, holdScripts } from '../support/browser'
import { password } from '../support/client'

/** A visitor; whatever the browser complains about on the way is a failure. */
const test = base.extend({
  page: async ({ page }, use) => {
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()) && !/Failed to load resource/.test(message.text()))
        complaints.push(message.text())
    })
    await use(page)
    expect(complaints).toEqual([])
  },
})

const newEmail = () => `portal-${crypto.randomUUID()}@example.com`

async function signUp(page: Page, next = '/dashboard'): Promise<string> {
  const email = newEmail()
  await page.goto(`/register?next=${encodeURIComponent(next)}`)
  await page.getByLabel('Name').fill('Ada Lovelace')
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.waitForURL(`**${next}`)
  return email
}

async function post(page: Page, path: string, data: unknown): Promise<Record<string, string>> {
  const answer = await page.request.post(path, { data, headers: { origin: new URL(page.url()).origin } })
  expect(answer.ok(), await answer.text()).toBe(true)
  return answer.json()
}

test('a newcomer signs up, is guided to a project and an agent, and reads a first answer', async ({
  page,
}) => {
  await signUp(page)
  const guide = page.getByRole('region', { name: 'First steps' })
  await guide.getByRole('button', { name: 'Keep the demo' }).click()
  await page.goto('/projects')
  // Until it is known that there is no project, the button stands in the header.
  await expect(page.getByRole('heading', { name: 'No projects yet' })).toBeVisible()
  await page.getByRole('button', { name: 'New project' }).click()
  await page.getByLabel('Name').fill('Letters')
  await page.getByRole('button', { name: 'Create project' }).click()
  await expect(page.getByRole('heading', { name: 'Letters', level: 1 })).toBeVisible()
  await page.getByRole('link', { name: 'New agent' }).click()
  await page.getByLabel('Name', { exact: true }).fill('Writer')
  await page.getByLabel('Instructions').fill('Write letters.')
  await page.getByRole('button', { name: 'Create agent' }).click()
  await expect(page.getByRole('heading', { name: 'Writer', level: 1 })).toBeVisible()
  await page.goto('/dashboard')
  await page
    .getByRole('region', { name: 'Launch' })
    .getByRole('link', { name: /Writer/ })
    .click()
  const composer = page.getByRole('textbox', { name: 'Message', exact: true })
  await composer.fill('hello')
  await composer.press('Enter')
  const answer = page.getByRole('article', { name: 'Answer' })
  await expect(answer).toContainText('demo model', { timeout: 20_000 })
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeVisible({ timeout: 30_000 })
  await page.goto('/dashboard')
  await expect(guide).toHaveCount(0)
  await page
    .getByRole('region', { name: 'Recent conversations' })
    .getByRole('link', { name: /hello/ })
    .click()
  await expect(answer).toContainText('demo model')
})

test('pages of the portal are refused when signed out, and come back after signing in', async ({ page }) => {
  const email = await signUp(page)
  await page.context().clearCookies()
  for (const path of ['/dashboard', '/projects', '/vault', '/keys', '/settings', '/chat']) {
    const answer = await page.request.get(path, { maxRedirects: 0 })
    expect([path, answer.status()]).toEqual([path, 307])
    expect(answer.headers().location).toContain('/login?next=')
  }
  await page.goto('/vault')
  await expect(page).toHaveURL(/\/login\?next=%2Fvault$/)
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').fill('not this one')
  await page.keyboard.press('Enter')
  await expect(page.getByText('Email or password is wrong.')).toBeVisible()
  await expect(page.getByLabel('Email')).toHaveValue(email)
  await page.getByLabel('Password').fill(password)
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/vault$/)
})

test('signing in never leads to another site', async ({ page, baseURL }) => {
  for (const next of [
    '//evil.example',
    'https://evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    '/x/..//evil.example',
  ]) {
    await page.context().clearCookies()
    await page.goto(`/register?next=${encodeURIComponent(next)}`)
    await page.getByLabel('Email').fill(newEmail())
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Create account' }).click()
    await page.waitForURL((url) => url.pathname === '/dashboard' || url.host !== new URL(`${baseURL}`).host)
    expect(page.url()).toBe(`${baseURL}/dashboard`)
  }
})

test('the sign-in form works before, and without, JavaScript', async ({ browser, baseURL, page }) => {
  const email = await signUp(page)
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL })
  const plain = await context.newPage()
  await plain.goto('/login?next=%2Fprojects')
  await plain.getByLabel('Email').fill(email)
  await plain.getByLabel('Password').fill(password)
  await plain.getByRole('button', { name: 'Sign in' }).click()
  await expect(plain).toHaveURL(`${baseURL}/projects`)
  await expect(plain.getByRole('heading', { name: 'Projects', level: 1 })).toBeVisible()
  await context.close()
})

test('the forms tell password managers what they are', async ({ page }) => {
  await page.goto('/login')
  await expect(page.getByLabel('Email')).toHaveAttribute('autocomplete', 'username')
  await expect(page.getByLabel('Password')).toHaveAttribute('autocomplete', 'current-password')
  await page.goto('/register')
  await expect(page.getByLabel('Password')).toHaveAttribute('autocomplete', 'new-password')
})

test('a key is added, shown by its last four, lights its step, and can be deleted', async ({ page }) => {
  const key = 'sk-test-canary-in-the-page-4d1a'
  await signUp(page, '/vault')
  await page.getByRole('button', { name: 'Add key' }).first().click()
  await page.getByRole('dialog').getByLabel('Key', { exact: true }).fill(key)
  await page.getByRole('dialog').getByRole('button', { name: 'Add key' }).click()
  const table = page.getByRole('region', { name: 'Keys', exact: true })
  await expect(table).toContainText('4d1a')
  await expect(page.getByRole('listitem').filter({ hasText: 'Your own keys' })).toContainText('Serves')
  await page.reload()
  await expect(table).toContainText('4d1a')
  const html = await page.content()
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))
  expect(html + kept).not.toContain(key)
  expect(await (await page.request.get('/api/credentials')).text()).not.toContain(key)
})

test('a project is deleted only when its name is typed', async ({ page }) => {
  await signUp(page, '/projects')
  const { id } = await post(page, '/api/projects', { name: 'Doomed' })
  await post(page, `/api/projects/${id}/agents`, { name: 'Agent' })
  await page.goto(`/projects/${id}`)
  await page.getByRole('button', { name: 'Actions for Doomed' }).click()
  await page.getByRole('menuitem', { name: /Delete/ }).click()
  const dialog = page.getByRole('alertdialog').or(page.getByRole('dialog'))
  const confirm = dialog.getByRole('button', { name: /Delete/ })
  await dialog.getByRole('textbox').fill('Doom')
  await expect(confirm).toBeDisabled()
  await dialog.getByRole('textbox').fill('Doomed')
  await confirm.click()
  await expect(page).toHaveURL(/\/projects$/)
  expect((await page.request.get(`/api/projects/${id}`)).status()).toBe(404)
})

test('a device is signed out from another one', async ({ page, browser, baseURL }) => {
  const email = await signUp(page)
  const context = await browser.newContext({ baseURL })
  const other = await context.newPage()
  await other.goto('/login')
  await other.getByLabel('Email').fill(email)
  await other.getByLabel('Password').fill(password)
  await other.getByRole('button', { name: 'Sign in' }).click()
  await other.waitForURL('**/dashboard')
  await page.goto('/settings')
  const devices = page.getByRole('region', { name: 'Signed-in devices' })
  await expect(devices.getByRole('listitem')).toHaveCount(2)
  await devices.getByRole('button', { name: /Sign out/ }).click()
  await expect(devices.getByRole('listitem')).toHaveCount(1)
  await other.goto('/projects')
  await expect(other).toHaveURL(/\/login/)
  await context.close()
})

test('everything can be reached from the keyboard: the palette finds pages and agents', async ({ page }) => {
  await signUp(page)
  const { id } = await post(page, '/api/projects', { name: 'Project' })
  await post(page, `/api/projects/${id}/agents`, { name: 'Cartographer' })
  await page.reload()
  const palette = page.getByRole('dialog').getByRole('combobox')
  await page.keyboard.press('ControlOrMeta+k')
  await expect(palette).toBeFocused()
  await page.keyboard.type('Vault')
  await page.keyboard.press('Enter')
  await page.keyboard.press('ControlOrMeta+k')
  await expect(palette).toHaveValue('')
  await page.keyboard.press('Escape')
  await expect(page).toHaveURL(/\/vault$/)
  await expect(palette).toHaveCount(0)
  await page.keyboard.press('ControlOrMeta+k')
  await expect(palette).toBeFocused()
  await expect(palette).toHaveValue('')
  await page.keyboard.type('Cartog')
  await expect(page.getByRole('option', { name: /Cartographer/ }).first()).toBeVisible()
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/chat\//)
  await expect(page.getByRole('textbox', { name: 'Message', exact: true })).toBeFocused()
  await page.keyboard.press('ControlOrMeta+Shift+O')
  await expect(page).toHaveURL(/\/chat\//)
})

test('a shortcut that is pressed before the page has come to life is not lost, nor what is typed after it', async ({
  page,
}) => {
  await signUp(page)
  const { id } = await post(page, '/api/projects', { name: 'Project' })
  const agent = await post(page, `/api/projects/${id}/agents`, { name: 'Cartographer' })
  const palette = page.getByRole('dialog').getByRole('combobox')
  const composer = page.getByRole('textbox', { name: 'Message', exact: true })
  const press = async (path: string, keys: () => Promise<void>) => {
    const release = await holdScripts(page)
    await page.goto(path, { waitUntil: 'commit' })
    await expect(page.getByRole('link', { name: 'New chat' }).first()).toBeVisible()
    await keys()
    release()
  }

  await press('/vault', () => page.keyboard.press('ControlOrMeta+k'))
  await expect(palette).toBeFocused()
  await expect(palette).toHaveValue('')

  await press('/vault', async () => {
    await page.keyboard.press('ControlOrMeta+k')
    await page.keyboard.type('Carto?')
    await page.keyboard.press('Backspace')
  })
  await expect(palette).toBeFocused()
  await expect(palette).toHaveValue('Carto')
  await page.keyboard.type('g')
  await expect(palette).toHaveValue('Cartog')

  await press(`/chat/${agent.id}`, async () => {
    await composer.fill('half a thought')
    await page.keyboard.press('ControlOrMeta+k')
    await page.keyboard.type('Vault')
    await page.keyboard.press('Enter')
  })
  await expect(palette).toBeFocused()
  await expect(palette).toHaveValue('Vault')
  await page.keyboard.press('Escape')
  await expect(palette).toHaveCount(0)
  await expect(composer).toHaveValue('half a thought')
  await expect(page.getByRole('article')).toHaveCount(0)

  await press('/vault', () => page.keyboard.press('ControlOrMeta+Shift+O'))
  await expect(page).toHaveURL(/\/chat\//)
  await expect(composer).toBeFocused()

  await press('/vault', () => page.keyboard.press('?'))
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible()

  // Who thinks better of it is left alone: the next press opens the palette and does not close it.
  await press('/keys', async () => {
    await page.keyboard.press('ControlOrMeta+k')
    await page.keyboard.type('no')
    await page.keyboard.press('Escape')
  })
  await expect(page.getByRole('tab', { name: 'curl' })).toBeEnabled()
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await page.keyboard.press('ControlOrMeta+k')
  await expect(palette).toBeFocused()
  await expect(palette).toHaveValue('')
})

test('what is typed while the palette is on its way stands in it, and goes nowhere else', async ({
  page,
}) => {
  let letGo = (): void => {}
  const held = new Promise<void>((go) => {
    letGo = go
  })
  await page.route('**/_next/static/**/*.js', async (route) => {
    const response = await route.fetch()
    if ((await response.text()).includes('Search conversations, agents')) await held
    await route.fulfill({ response })
  })
  await signUp(page, '/keys')
  const palette = page.getByRole('dialog').getByRole('combobox')
  await expect(page.getByRole('tab', { name: 'curl' })).toBeEnabled()
  await page.keyboard.press('ControlOrMeta+k')
  // N alone would make a key here.
  await page.keyboard.type('nowhere')
  for (let count = 0; count < 7; count += 1) await page.keyboard.press('Backspace')
  await page.keyboard.type('Vau')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog')).toHaveCount(0)
  letGo()
  await expect(palette).toBeFocused()
  await page.unrouteAll({ behavior: 'ignoreErrors' })
  await expect(palette).toHaveValue('Vau')
  await page.keyboard.type('lt')
  await expect(palette).toHaveValue('Vault')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/vault$/)
})

test('an address that is nobody’s says so, and a stranger’s project is not there', async ({
  page,
  browser,
  baseURL,
}) => {
  await signUp(page)
  const { id } = await post(page, '/api/projects', { name: 'Mine' })
  const context = await browser.newContext({ baseURL })
  const stranger = await context.newPage()
  await signUp(stranger)
  const answer = await stranger.goto(`/projects/${id}`)
  expect(answer?.status()).toBe(404)
  await expect(stranger.getByRole('heading', { name: 'There is nothing here' })).toBeVisible()
  expect(await stranger.content()).not.toContain('Mine')
  await context.close()
})

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1440, 360]) {
    test(`no page has an accessibility violation or scrolls sideways, ${colorScheme}, ${width} px`, async ({
      browser,
      baseURL,
    }) => {
      const context = await browser.newContext({
        baseURL,
        colorScheme,
        viewport: { width, height: 800 },
        reducedMotion: 'reduce',
      })
      const page = await context.newPage()
      const visit = async (path: string) => {
        await page.goto(path)
        await expect(page.getByRole('heading').or(page.getByRole('textbox')).first()).toBeVisible()
        await expect(page.locator('.skeleton')).toHaveCount(0)
        const { violations } = await new AxeBuilder({ page }).analyze()
        expect(violations.map(({ id, nodes }) => [path, id, nodes.map(({ html }) => html)])).toEqual([])
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
        expect([path, Math.max(0, overflow)]).toEqual([path, 0])
      }
      await visit('/login')
      await visit('/register')
      await signUp(page)
      const { id } = await post(page, '/api/projects', {
        name: 'A project with quite a long name, as people give them',
      })
      const agent = await post(page, `/api/projects/${id}/agents`, {
        name: 'Agent',
        description: 'What it is for. '.repeat(8),
      })
      await post(page, '/api/credentials', {
        credentialType: 'openai',
        credentials: { api_key: 'sk-test-for-the-table' },
      })
      const paths = [
        '/dashboard',
        '/projects',
        `/projects/${id}`,
        `/projects/${id}/agents/new`,
        `/projects/${id}/agents/${agent.id}`,
      ]
      for (const path of [...paths, '/vault', '/keys', '/settings', `/chat/${agent.id}`]) await visit(path)
      await context.close()
    })
  }
}
