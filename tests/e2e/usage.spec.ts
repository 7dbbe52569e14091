import { readFileSync } from 'node:fs'
import AxeBuilder from '@axe-core/playwright'
import type { Browser, Page } from '@playwright/test'
import { parse } from 'csv-parse/sync'
import { test as base, expect } from '../support/browser'
import { followToEnd, openTalk, send, type Talk } from '../support/chat'

/** A server whose first account, and so its admin, has asked something. */
const test = base.extend<object, { talk: Talk; member: Talk }>({
  talk: [
    async ({ server }, use) => {
      const talk = await openTalk(server.url)
      for (const text of ['One', 'Two', 'Three']) await say(talk, text)
      await use(talk)
    },
    { scope: 'worker' },
  ],
  member: [
    async ({ server, talk }, use) => {
      expect(talk.agentId).not.toBe('')
      await use(await openTalk(server.url))
    },
    { scope: 'worker' },
  ],
})

async function say(talk: Talk, text: string): Promise<void> {
  const opened = await talk.user.post(`/api/agents/${talk.agentId}/conversations`, {})
  const conversationId = String(opened.body.conversation?.id)
  await followToEnd(talk.user, (await send({ ...talk, conversationId }, text)).reply.events_url)
}

async function openAs(browser: Browser, { user }: Talk, options = {}): Promise<Page> {
  const context = await browser.newContext({ baseURL: user.url, ...options })
  await context.addCookies([{ name: 'al_session', value: String(user.token), url: user.url }])
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('close', () => expect(complaints).toEqual([]))
  return page
}

const table = (page: Page, name: string) => page.getByRole('table', { name, exact: true })
const plot = (page: Page) => page.locator('svg.recharts-surface[role="application"]')

async function choose(page: Page, what: string, option: string): Promise<void> {
  await page.getByRole('combobox', { name: what }).click()
  await page.getByRole('option', { name: option }).click()
}

test('the sidebar leads to what was used: totals, a plot, and the table that it is made from', async ({
  browser,
  talk,
}) => {
  const page = await openAs(browser, talk)
  await page.goto('/dashboard')
  await page
    .getByRole('navigation', { name: 'Pages', exact: true })
    .getByRole('link', { name: 'Usage' })
    .click()
  await expect(page.getByRole('heading', { name: 'Usage', level: 1 })).toBeVisible()
  await expect(page.locator('dl').filter({ hasText: 'Requests' })).toContainText('3')
  await expect(plot(page)).toBeVisible()
  const rows = table(page, 'Usage by day').locator('tbody tr')
  await expect(rows).toHaveCount(1)
  await expect(rows.first()).toContainText('$0.00')
  await page.context().close()
})

test('period, grouping and measure are chosen, kept in the address, and exported with', async ({
  browser,
  talk,
}) => {
  const page = await openAs(browser, talk)
  await page.goto('/usage')
  await choose(page, 'By', 'By model')
  await expect(page).toHaveURL(/by=model/)
  await choose(page, 'Measure', 'Tokens')
  await expect(page).toHaveURL(/measure=tokens/)
  await choose(page, 'Period', 'Last 7 days')
  await expect(page).toHaveURL(/period=week/)
  await page.reload()
  await expect(table(page, 'Usage by model').locator('tbody tr')).toHaveCount(1)
  await expect(table(page, 'Usage by model').locator('tbody tr').first()).toContainText('demo')
  await page.getByText('Day by day', { exact: true }).click()
  await expect(table(page, 'Usage by model, day by day').locator('tbody tr')).toHaveCount(1)
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Export CSV' }).click()
  const file = await download
  expect(file.suggestedFilename()).toMatch(/^al-chat-usage-\d{4}-\d\d-\d\d\.csv$/)
  const lines: Record<string, string>[] = parse(readFileSync(await file.path(), 'utf8'), { columns: true })
  expect(lines.map(({ model, requests, cost_usd }) => ({ model, requests, cost_usd }))).toEqual([
    { model: 'demo', requests: '3', cost_usd: '0' },
  ])
  await page.context().close()
})

test('the plot is read with the arrow keys, day by day', async ({ browser, talk }) => {
  const page = await openAs(browser, talk)
  await page.goto('/usage?period=week&measure=requests')
  await plot(page).focus()
  for (let day = 0; day < 6; day += 1) await page.keyboard.press('ArrowRight')
  const today = new Intl.DateTimeFormat('en', { dateStyle: 'full', timeZone: 'UTC' }).format(new Date())
  const told = page.locator('.recharts-tooltip-wrapper')
  await expect(told).toContainText(today)
  await expect(told).toContainText('3')
  await page.context().close()
})

test('who used nothing is told what this page is for, and is not shown what others used', async ({
  browser,
  member,
}) => {
  const page = await openAs(browser, member)
  await page.goto('/usage')
  await expect(page.getByRole('heading', { name: 'Nothing was used in this time' })).toBeVisible()
  await page.getByRole('link', { name: 'Show the last 365 days' }).click()
  await expect(page.getByRole('heading', { name: 'Nothing was used yet' })).toBeVisible()
  await page.getByRole('combobox', { name: 'By' }).click()
  await expect(page.getByRole('option', { name: 'By project' })).toBeVisible()
  await expect(page.getByRole('option', { name: 'By person' })).toHaveCount(0)
  await page.keyboard.press('Escape')
  await page.context().close()
})

test('the library that draws is asked for on this page alone', async ({ browser, talk }) => {
  const page = await openAs(browser, talk)
  const drawn: string[] = []
  page.on('response', async (response) => {
    if (!response.url().endsWith('.js')) return
    if ((await response.text().catch(() => '')).includes('recharts-surface')) drawn.push(response.url())
  })
  await page.goto('/settings')
  await expect(page.getByRole('heading', { name: 'Settings', level: 1 })).toBeVisible()
  await page.waitForLoadState('load')
  expect(drawn).toEqual([])
  await page.goto('/usage')
  await expect(plot(page)).toBeVisible()
  await expect.poll(() => drawn.length).toBeGreaterThan(0)
  await page.context().close()
})

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1440, 360]) {
    test(`the usage has no accessibility violation and does not scroll sideways, ${colorScheme}, ${width} px`, async ({
      browser,
      talk,
    }) => {
      const viewport = { width, height: 800 }
      const page = await openAs(browser, talk, { colorScheme, viewport, reducedMotion: 'reduce' })
      for (const path of ['/usage', '/usage?by=project&period=between&from=2026-01-01&to=2026-12-31']) {
        await page.goto(path)
        await expect(plot(page)).toBeVisible()
        await expect(page.locator('.skeleton')).toHaveCount(0)
        const { violations } = await new AxeBuilder({ page }).analyze()
        expect(violations.map(({ id, nodes }) => [path, id, nodes.map(({ html }) => html)])).toEqual([])
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
        expect([path, Math.max(0, overflow)]).toEqual([path, 0])
      }
      await page.context().close()
    })
  }
}
