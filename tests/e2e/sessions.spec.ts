import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect, test } from '../support/browser'
import { password } from '../support/client'
import { readSessionLog } from '../support/session-log'

async function signUp(page: Page, name: string): Promise<void> {
  await page.goto('/register')
  const email = `${name}-${crypto.randomUUID()}@example.com`
  await post(page, '/api/auth/register', { email, password, name })
}

async function post(page: Page, path: string, data: unknown): Promise<Record<string, string>> {
  const answer = await page.request.post(path, { data, headers: { origin: new URL(page.url()).origin } })
  expect(answer.ok(), await answer.text()).toBe(true)
  return answer.json()
}

async function makeAgent(page: Page): Promise<string> {
  const project = await post(page, '/api/projects', { name: 'Project' })
  const agent = await post(page, `/api/projects/${project.id}/agents`, {
    name: 'Demo agent',
    model_provider: 'demo',
  })
  return String(agent.id)
}

/** The sessions of whoever looks at the page, the latest first. */
async function listSessions(page: Page): Promise<{ session_id: string; status: string }[]> {
  const answer = await page.request.get('/api/sessions')
  return (await answer.json()).items
}

const statuses = async (page: Page) => (await listSessions(page)).map(({ status }) => status)

test('opening the chat begins a session, which lasts over pages and reloads and ends with the tab', async ({
  page,
  server,
}) => {
  await signUp(page, 'ada')
  const agentId = await makeAgent(page)
  await page.goto(`/chat/${agentId}`)
  await expect.poll(() => statuses(page)).toEqual(['open'])
  await page.getByRole('link', { name: 'Projects' }).first().click()
  await expect(page.getByRole('heading', { name: 'Projects', level: 1 })).toBeVisible()
  const composer = page.getByRole('textbox', { name: 'Message', exact: true })
  // The page takes the focus once it is alive; a load that was cut off before is none that anybody saw.
  await page.goto(`/chat/${agentId}`)
  await expect(composer).toBeFocused()
  await page.reload()
  await expect(composer).toBeFocused()
  await composer.fill('hello')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('article', { name: 'Answer' })).toContainText('demo model')
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeVisible({ timeout: 30_000 })
  const [last] = await listSessions(page)
  const other = await page.context().newPage()
  await other.goto('/dashboard')
  await page.close({ runBeforeUnload: true })
  await expect.poll(() => statuses(other), { timeout: 40_000 }).toEqual(['stopped'])
  const events = readSessionLog(server.sessionLogDir).filter((line) => line.session_id === last?.session_id)
  const course = events.map(({ event }) => event).join(' ')
  expect(course).toMatch(/^session_start( metric){1,2} session_stop$/)
  expect(events.at(-1)?.metrics).toMatchObject({ messages: 1, requests: 1, errors: 0, reloads: 2 })
})

test('New session ends the one of the tab and begins another', async ({ page }) => {
  await signUp(page, 'ben')
  await page.goto(`/chat/${await makeAgent(page)}`)
  await expect.poll(() => statuses(page)).toEqual(['open'])
  await page.getByRole('button', { name: /Agent Demo agent/ }).click()
  await page.getByRole('menuitem', { name: 'New session' }).click()
  await expect(page.getByText('A new session has begun')).toBeVisible()
  expect(await statuses(page)).toEqual(['open', 'stopped'])
})

test('the page lists sessions, narrows them by day, shows one with its conversation, and downloads it', async ({
  page,
}) => {
  await signUp(page, 'cleo')
  await page.goto('/sessions')
  await expect(page.getByRole('heading', { name: 'No sessions yet' })).toBeVisible()
  await page.goto(`/chat/${await makeAgent(page)}`)
  await expect.poll(() => statuses(page)).toEqual(['open'])
  await page.getByRole('textbox', { name: 'Message', exact: true }).fill('What is a session?')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeVisible({ timeout: 30_000 })
  const [session] = await listSessions(page)
  const sessionId = String(session?.session_id)
  await post(page, '/api/session/metric', { session_id: sessionId, metrics: { mood: 'curious' } })
  await page.getByRole('link', { name: 'Sessions' }).first().click()
  const table = page.getByRole('table', { name: 'Sessions' })
  await expect(table.getByRole('row')).toHaveCount(2)
  await page.getByRole('textbox', { name: 'Day' }).fill('2020-01-01')
  await expect(page.getByRole('heading', { name: 'No session fits these filters' })).toBeVisible()
  await page.getByRole('button', { name: 'Clear' }).click()
  await table.getByRole('link', { name: sessionId }).click()
  await expect(page.getByRole('heading', { name: sessionId, level: 1 })).toBeVisible()
  await expect(page.getByText('curious')).toBeVisible()
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id }) => id)).toEqual([])
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download log' }).click()
  expect((await download).suggestedFilename()).toBe(`${sessionId}.jsonl`)
  await page
    .getByRole('link', { name: /What is a session/ })
    .last()
    .click()
  await expect(page.getByRole('article', { name: 'Answer' })).toContainText('demo model')
})
