import { readFileSync } from 'node:fs'
import AxeBuilder from '@axe-core/playwright'
import type { Browser, Page } from '@playwright/test'
import { parse } from 'csv-parse/sync'
import { test as base, expect } from '../support/browser'
import { password, signUp } from '../support/client'

type Admin = { email: string; cookies: { name: string; value: string; url: string }[] }

/** A server whose first account is here, so that this one is the admin's. */
const test = base.extend<object, { admin: Admin }>({
  admin: [
    async ({ server }, use) => {
      const { email, token } = await signUp(server.url, 'ada')
      await use({
        email: String(email),
        cookies: [{ name: 'al_session', value: `${token}`, url: server.url }],
      })
    },
    { scope: 'worker' },
  ],
})

async function openAs(browser: Browser, admin: Admin, baseURL: string, options = {}): Promise<Page> {
  const context = await browser.newContext({ baseURL, ...options })
  await context.addCookies(admin.cookies)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('close', () => expect(complaints).toEqual([]))
  return page
}

async function addKey(page: Page, label: string): Promise<void> {
  const answer = await page.request.post('/api/credentials', {
    data: { credentialType: 'openai', label, credentials: { api_key: 'sk-canary-of-the-page-77aa' } },
    headers: { origin: new URL(page.url()).origin },
  })
  expect(answer.status()).toBe(201)
}

const rows = (page: Page) => page.getByRole('table', { name: 'Audit' }).locator('tbody tr')

test('an admin finds the audit in the sidebar, opens a record, and reads all that is known of it', async ({
  browser,
  admin,
  baseURL,
}) => {
  const page = await openAs(browser, admin, baseURL)
  await page.goto('/dashboard')
  await addKey(page, 'Team')
  await page
    .getByRole('navigation', { name: 'Pages', exact: true })
    .getByRole('link', { name: 'Audit' })
    .click()
  await expect(page.getByRole('heading', { name: 'Audit', level: 1 })).toBeVisible()
  const row = rows(page).first()
  await expect(row).toContainText('Added a provider key')
  await expect(row).toContainText('Team ··77aa')
  await expect(row).toContainText(admin.email)
  const details = row.getByRole('button', { name: /^Details: Added a provider key/ })
  await details.focus()
  await page.keyboard.press('Enter')
  await expect(details).toHaveAttribute('aria-expanded', 'true')
  const facts = rows(page).nth(1)
  await expect(facts).toContainText('https://api.openai.com')
  await expect(facts).toContainText('127.0.0.1')
  await expect(facts.locator('dt', { hasText: 'Request' })).toBeVisible()
  await page.keyboard.press('Enter')
  await expect(details).toHaveAttribute('aria-expanded', 'false')
  expect(await page.content()).not.toContain('sk-canary-of-the-page')
  await page.context().close()
})

test('filters narrow by action, person and period, are kept in the address, and are exported with', async ({
  browser,
  admin,
  server,
  baseURL,
}) => {
  const eve = await signUp(server.url, 'eve')
  const page = await openAs(browser, admin, baseURL)
  await page.goto('/admin/audit')
  const person = page.getByRole('combobox', { name: 'Person' }).or(page.getByLabel('Person'))
  await person.first().fill(eve.email)
  await person.first().press('Enter')
  await expect(page).toHaveURL(/actor=eve/)
  await expect(rows(page)).toHaveCount(2)
  await page.getByRole('combobox', { name: 'Action' }).click()
  await page.getByRole('option', { name: 'Made an account' }).click()
  await expect(page).toHaveURL(/action=account\.register/)
  await expect(rows(page)).toHaveCount(1)
  await page.getByRole('combobox', { name: 'Period' }).click()
  await page.getByRole('option', { name: 'Last 7 days' }).click()
  await expect(page).toHaveURL(/period=week/)
  await expect(rows(page)).toHaveCount(1)
  await page.reload()
  await expect(rows(page)).toHaveCount(1)
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Export CSV' }).click()
  const file = await download
  expect(file.suggestedFilename()).toMatch(/^al-chat-audit-\d{4}-\d\d-\d\d\.csv$/)
  const lines: Record<string, string>[] = parse(readFileSync(await file.path(), 'utf8'), { columns: true })
  expect(lines.map(({ action, actor_email }) => [action, actor_email])).toEqual([
    ['account.register', eve.email],
  ])
  await page.getByRole('combobox', { name: 'Action' }).click()
  await page.getByRole('option', { name: 'Deleted a project' }).click()
  await expect(page.getByRole('heading', { name: 'Nothing fits these filters' })).toBeVisible()
  await page.getByRole('link', { name: 'Show everything' }).click()
  await expect(page).toHaveURL(/\/admin\/audit$/)
  expect(await rows(page).count()).toBeGreaterThan(1)
  await page.context().close()
})

test('the palette leads to the audit', async ({ browser, admin, baseURL }) => {
  const page = await openAs(browser, admin, baseURL)
  await page.goto('/settings')
  const palette = page.getByRole('dialog').getByRole('combobox')
  await page.keyboard.press('ControlOrMeta+k')
  await expect(palette).toBeFocused()
  await page.keyboard.type('Audit')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/admin\/audit$/)
  await page.context().close()
})

test('what is older is a page away, and the newest is too', async ({ browser, admin, baseURL }) => {
  const page = await openAs(browser, admin, baseURL)
  await page.goto('/admin/audit')
  for (let count = 0; count < 51; count += 1) await addKey(page, `Key ${count}`)
  await page.reload()
  await expect(rows(page)).toHaveCount(50)
  await page.getByRole('link', { name: 'Older' }).click()
  await expect(page).toHaveURL(/cursor=/)
  await expect(rows(page).first()).toContainText('Key 0')
  await page.getByRole('link', { name: 'Newest' }).click()
  await expect(rows(page).first()).toContainText('Key 50')
  await page.context().close()
})

test('for members there is no such page, and no way to it', async ({ page, server, admin }) => {
  expect(admin.email).toContain('ada')
  const eve = await signUp(server.url, 'eve')
  await page.goto('/login')
  await page.getByLabel('Email').fill(eve.email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL('**/dashboard')
  await expect(page.getByRole('navigation', { name: 'Pages', exact: true })).toContainText('Vault')
  await expect(page.getByRole('link', { name: 'Audit' })).toHaveCount(0)
  const answer = await page.goto('/admin/audit')
  expect(answer?.status()).toBe(404)
  await expect(page.getByRole('heading', { name: 'There is nothing here' })).toBeVisible()
  expect(await page.content()).not.toContain(admin.email)
})

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1440, 360]) {
    test(`the audit has no accessibility violation and does not scroll sideways, ${colorScheme}, ${width} px`, async ({
      browser,
      admin,
      baseURL,
    }) => {
      const viewport = { width, height: 800 }
      const page = await openAs(browser, admin, baseURL, { colorScheme, viewport, reducedMotion: 'reduce' })
      for (const path of [
        '/admin/audit',
        '/admin/audit?period=between&from=2026-01-01&target=018f0000-0000-7000-8000-000000000001',
      ]) {
        await page.goto(path)
        await expect(page.getByRole('heading', { name: 'Audit', level: 1 })).toBeVisible()
        await expect(page.locator('.skeleton')).toHaveCount(0)
        const details = page.getByRole('button', { name: /^Details/ })
        if ((await details.count()) > 0) await details.first().click()
        const { violations } = await new AxeBuilder({ page }).analyze()
        expect(violations.map(({ id, nodes }) => [path, id, nodes.map(({ html }) => html)])).toEqual([])
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
        expect([path, Math.max(0, overflow)]).toEqual([path, 0])
      }
      await page.context().close()
    })
  }
}

test('an admin invites, and whoever follows the link has an account; it is disabled again', async ({
  browser,
  admin,
  baseURL,
}) => {
  const page = await openAs(browser, admin, baseURL)
  await page.goto('/admin/users')
  await page.getByRole('button', { name: 'Invite' }).click()
  await page.getByRole('textbox', { name: 'Email' }).fill('eve@example.com')
  await page.getByRole('button', { name: 'Make link' }).click()
  const link = await page.getByRole('textbox', { name: 'Link' }).inputValue()
  await page.getByRole('button', { name: 'Done' }).click()
  await expect(page.getByRole('region', { name: 'Invited' })).toContainText('eve@example.com')

  const guest = await (await browser.newContext({ baseURL })).newPage()
  await guest.goto(link)
  await expect(guest.getByRole('textbox', { name: 'Email' })).toHaveValue('eve@example.com')
  await guest.getByRole('textbox', { name: 'Name' }).fill('Eve')
  await guest.getByRole('textbox', { name: 'Password' }).fill(password)
  await guest.getByRole('button', { name: 'Create account' }).click()
  await expect(guest).toHaveURL(/dashboard/)

  await page.goto('/admin/users?query=eve')
  const row = page.getByRole('row', { name: /Eve/ })
  await row.getByRole('button', { name: 'Actions for Eve' }).click()
  await page.getByRole('menuitem', { name: 'Disable…' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Disable' }).click()
  await expect(row).toContainText('Disabled')
  expect((await guest.request.get('/api/auth/me')).status()).toBe(401)
  await guest.context().close()
  await page.close()
})

test('the pages of users and of the server are for admins alone, and sound in every width', async ({
  browser,
  admin,
  baseURL,
  server,
}) => {
  const member = await signUp(server.url, 'member')
  for (const path of ['/admin/users', '/admin/settings']) {
    const asMember = await fetch(server.url + path, { headers: { cookie: `al_session=${member.token}` } })
    expect(await asMember.text()).not.toMatch(/REGISTRATION|ada-/)
    for (const width of [1440, 768, 360]) {
      const page = await openAs(browser, admin, baseURL, { viewport: { width, height: 900 } })
      await page.goto(path)
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
      await expect(
        page
          .locator('main')
          .getByText(/REGISTRATION|ada-/)
          .first(),
      ).toBeVisible()
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
      const { violations } = await new AxeBuilder({ page }).analyze()
      expect(violations).toEqual([])
      await page.close()
    }
  }
})
