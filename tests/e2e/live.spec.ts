import AxeBuilder from '@axe-core/playwright'
import type { Browser, Page } from '@playwright/test'
import { test as base, Chat, expect, noteComplaints } from '../support/chat-page'
import { password } from '../support/client'
import { type CuttableProxy, startCuttableProxy } from '../support/cuttable-proxy'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import type { TestServer } from '../support/server'

/** The browser reaches the server over a line that can be cut; the model says what it is told to. */
const test = base.extend<{ line: CuttableProxy; model: OpenAIServer }>({
  line: async ({ server }, use) => {
    const line = await startCuttableProxy(server.url)
    await use(line)
    await line.close()
  },
  baseURL: async ({ line }, use) => use(line.url),
  model: async ({ chat }, use) => {
    const model = await startOpenAI()
    await chat.post('/api/credentials', {
      credentialType: 'openai',
      baseUrl: model.baseUrl,
      credentials: { api_key: 'sk-test-0123456789abcdef9e77' },
    })
    await use(model)
    await model.close()
  },
})

const openai = { model_provider: 'openai', model_name: 'gpt-5-mini' }
const events = 'GET /api/events'
const words = (count: number) => Array.from({ length: count }, (_, n) => `wörd${n} `)
const whole = (said: string[]) => said.join('').trim()

/** The answer's words as they are on the page now. */
const textOf = async ({ answer }: Chat) => ((await answer.locator('.prose').textContent()) ?? '').trim()

/** Notes every text that an answer of `words` shows from now on, as the reader sees it. */
async function watchAnswer({ page }: Chat): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const seen: string[] = []
    const look = () => {
      const text = [...document.querySelectorAll('article[aria-label=Answer] .prose')].at(-1)?.textContent
      if (text?.startsWith('wörd') && text.trim() !== seen.at(-1)) seen.push(text.trim())
    }
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true })
    Object.assign(window, { seenTexts: seen })
  })
  return () => page.evaluate(() => (window as unknown as { seenTexts: string[] }).seenTexts)
}

/** Every text goes on where the one before it ended: nothing twice, nothing out of order, nothing taken back. */
function expectGrowth(seen: string[], end: string): void {
  expect(seen.length).toBeGreaterThan(3)
  for (const [n, text] of seen.entries()) expect(text.startsWith(seen[n - 1] ?? '')).toBe(true)
  expect(seen.at(-1)).toBe(end)
}

/** The same account on another device. */
async function openDevice(browser: Browser, chat: Chat, path: string): Promise<Chat> {
  const storageState = await chat.page.context().storageState()
  const origin = new URL(chat.page.url()).origin
  const context = await browser.newContext({ storageState: { cookies: storageState.cookies, origins: [] } })
  const page = await context.newPage()
  await page.goto(origin + path)
  return new Chat(page)
}

const cookieOf = async (page: Page) =>
  (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')

/** The messages as the server keeps them, asked past the line. */
async function storedBehind({ url }: TestServer, { page }: Chat): Promise<{ status: string }[]> {
  const headers = { cookie: await cookieOf(page) }
  const answer = await fetch(`${url}/api/conversations/${page.url().split('/').at(-1)}`, { headers })
  return (await answer.json()).messages
}

const list = (page: Page) => page.getByRole('navigation', { name: 'Conversations' })

test('an answer goes on over a reload in its middle: the same bytes, once, in order', async ({
  chat,
  model,
}) => {
  const said = words(150)
  model.script({ text: said, delayMs: 100 })
  await chat.open(await chat.makeAgent(openai))
  await chat.say('tell me')
  await expect(chat.answer).toContainText('wörd20 ')
  await chat.page.reload()
  const seen = await watchAnswer(chat)
  await expect(chat.send).toBeVisible({ timeout: 60_000 })
  expectGrowth(await seen(), whole(said))
  expect((await chat.stored()).map(({ text }) => text)).toEqual(['tell me', said.join('')])
})

test('offline in mid-answer is said, and who is back has everything at once', async ({
  chat,
  line,
  model,
  server,
}, info) => {
  const said = words(100)
  model.script({ text: said, delayMs: 100 })
  await chat.open(await chat.makeAgent(openai))
  const seen = await watchAnswer(chat)
  await chat.say('tell me')
  await expect(chat.answer).toContainText('wörd10 ')
  await line.cut()
  await expect(chat.page.getByText('Reconnecting.')).toBeVisible()
  const before = await textOf(chat)
  // The answer ends while nobody hears it.
  await expect
    .poll(async () => (await storedBehind(server, chat)).at(-1)?.status, { timeout: 30_000 })
    .toBe('completed')
  expect(await textOf(chat)).toBe(before)
  await line.restore()
  const backAt = Date.now()
  await expect(chat.answer).toContainText('wörd99')
  info.annotations.push({ type: 'caught up after', description: `${Date.now() - backAt} ms` })
  await expect(chat.page.getByText('Reconnecting.')).toBeHidden()
  await expect(chat.send).toBeVisible()
  expectGrowth(await seen(), whole(said))
  await line.cut()
  await chat.say('hello')
  await expect(chat.page.getByText('Not sent.')).toBeVisible()
  await line.restore()
  await chat.page.getByRole('button', { name: 'Send again' }).click()
  await expect(chat.answer).toContainText('Echo')
  expect((await chat.stored()).map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant'])
})

test('eight tabs on one conversation take one connection, and leave room for everything else', async ({
  chat,
  line,
  model,
}) => {
  await chat.open(await chat.makeAgent(openai))
  await chat.ask('first')
  const tabs = [chat]
  for (let n = 1; n < 8; n += 1) {
    const page = await chat.page.context().newPage()
    await page.goto(chat.page.url())
    tabs.push(new Chat(page))
  }
  for (const tab of tabs) await expect(tab.answer).toContainText('Echo')
  await expect.poll(() => line.count(events)).toBe(1)
  const said = words(300)
  model.script({ text: said, delayMs: 100 })
  await chat.say('to all')
  const seen = await Promise.all(tabs.map(watchAnswer))
  for (const tab of tabs) await expect(tab.answer).toContainText('wörd30 ')
  await expect.poll(() => line.count(events)).toBe(1)
  const status = await tabs[7]?.page.evaluate(async () => (await fetch('/api/auth/me')).status)
  expect(status).toBe(200)
  expect(await textOf(chat)).not.toContain('wörd299')
  for (const tab of tabs) await expect(tab.send).toBeVisible({ timeout: 60_000 })
  for (const texts of await Promise.all(seen.map((read) => read()))) expectGrowth(texts, whole(said))
  // One after the other they go, and the last takes the connection with it.
  for (const tab of tabs.slice(1)) await tab.page.close()
  await expect.poll(() => line.count(events)).toBe(1)
  await chat.page.goto('about:blank')
  await expect.poll(() => line.count(events)).toBe(0)
})

test('what one device does shows on the other: title, running, words, stop, name, deletion', async ({
  browser,
  chat,
  line,
  model,
}) => {
  const agent = await chat.makeAgent(openai)
  await chat.open(agent)
  const other = await openDevice(browser, chat, '/dashboard')
  const complaints = noteComplaints(other.page)
  model.script({ text: words(2000), delayMs: 20 })
  await chat.say('What is a palimpsest?')
  const row = list(other.page).getByRole('link', { name: /What is a palimpsest/ })
  await expect(row).toContainText('being answered')
  const recent = other.page
    .getByRole('main')
    .getByRole('listitem')
    .filter({ hasText: 'What is a palimpsest?' })
  await expect(recent).toContainText('Answering…')
  await row.click()
  await expect(other.answer).toContainText('wörd10 ')
  await expect.poll(() => line.count(events)).toBe(2)

  await other.stop.click()
  await expect(chat.answer.getByText('Stopped', { exact: true })).toBeVisible()
  await expect(other.answer.getByText('Stopped', { exact: true })).toBeVisible()
  await expect(row).not.toContainText('being answered')
  await expect(list(chat.page)).not.toContainText('being answered')
  expect(await textOf(other)).toBe(await textOf(chat))

  model.script({ text: words(60), delayMs: 20 })
  await other.say('and then?')
  await expect(chat.page.getByRole('article', { name: 'Your message' }).last()).toContainText('and then?')
  await expect(chat.answer).toContainText('wörd59')
  await expect(chat.send).toBeVisible()
  await chat.answer.getByRole('button', { name: 'Regenerate' }).click()
  await expect(other.answer.getByRole('group', { name: 'Versions of this message' })).toContainText('2/2')
  await expect(other.answer).toContainText('Echo')
  await expect(other.send).toBeVisible()

  await list(other.page)
    .getByRole('button', { name: /^Options for/ })
    .click()
  await other.page.getByRole('menuitem', { name: 'Rename' }).click()
  await other.page.getByRole('textbox', { name: 'Title of the conversation' }).fill('Old parchment')
  await other.page.keyboard.press('Enter')
  await expect(list(chat.page).getByRole('link', { name: 'Old parchment' })).toBeVisible()
  await expect(chat.page).toHaveTitle('Old parchment · AL-Chat')

  await chat.composer.fill('half a thought')
  await other.page.request.delete(`/api/conversations/${chat.page.url().split('/').at(-1)}`, {
    headers: { origin: new URL(other.page.url()).origin },
  })
  for (const { page } of [chat, other]) {
    await expect(page.getByText('This conversation was deleted')).toBeVisible()
    await expect(list(page).getByRole('link', { name: 'Old parchment' })).toBeHidden()
  }
  const { violations } = await new AxeBuilder({ page: chat.page }).analyze()
  expect(violations.map(({ id, nodes }) => `${id} ${nodes[0]?.html}`)).toEqual([])
  await chat.page.getByRole('alert').getByRole('link', { name: 'New chat' }).click()
  await expect(chat.page.getByRole('heading', { name: 'Guide' })).toBeVisible()
  await expect(chat.composer).toHaveValue('half a thought')
  expect(complaints).toEqual([])
  await other.page.context().close()
})

test('the list makes up for what was done while the line was cut', async ({
  browser,
  chat,
  line,
  server,
}) => {
  const agent = await chat.makeAgent()
  await chat.open(agent)
  await chat.ask('hello')
  const stays = chat.page.url()
  await chat.open(agent)
  await chat.ask('goodbye')
  const goes = chat.page.url().split('/').at(-1)
  await expect(list(chat.page).getByRole('link')).toHaveCount(2)
  const far = await browser.newContext({ baseURL: server.url })
  const headers = { origin: server.url, cookie: await cookieOf(chat.page) }
  await line.cut()
  await far.request.delete(`/api/conversations/${goes}`, { headers })
  await far.request.patch(`/api/conversations/${stays.split('/').at(-1)}`, {
    data: { title: 'Changed' },
    headers,
  })
  await far.request.post(`/api/agents/${agent.agentId}/conversations`, { data: { title: 'Added' }, headers })
  await line.restore()
  await expect(list(chat.page).getByRole('link')).toHaveText([/Added/, /Changed/])
  await expect(chat.page.getByText('This conversation was deleted')).toBeVisible()
  await far.close()
})

test('a line that is dead without a word is left as soon as the browser says that it is online', async ({
  chat,
  line,
  model,
  server,
}) => {
  const said = words(80)
  model.script({ text: said, delayMs: 20 })
  await chat.open(await chat.makeAgent(openai))
  const seen = await watchAnswer(chat)
  await chat.say('tell me')
  await expect(chat.answer).toContainText('wörd10 ')
  line.stall()
  await expect
    .poll(async () => (await storedBehind(server, chat)).at(-1)?.status, { timeout: 30_000 })
    .toBe('completed')
  await line.restore()
  await chat.page.evaluate(() => dispatchEvent(new Event('online')))
  await expect(chat.send).toBeVisible({ timeout: 60_000 })
  expectGrowth(await seen(), whole(said))
})

test('going back and forth finds everything as it is', async ({ chat, model }) => {
  const agent = await chat.makeAgent(openai)
  await chat.open(agent)
  const said = words(150)
  model.script({ text: said, delayMs: 20 })
  await chat.say('tell me')
  await expect(chat.answer).toContainText('wörd10 ')
  await chat.page.getByRole('link', { name: 'New chat' }).first().click()
  await expect(chat.page.getByRole('heading', { name: 'Guide' })).toBeVisible()
  await chat.page.goBack()
  await expect(chat.answer).toContainText('wörd40 ')
  await chat.page.goto('/health')
  await chat.page.goBack()
  await expect(chat.send).toBeVisible({ timeout: 60_000 })
  expect(await textOf(chat)).toBe(whole(said))
  await chat.page.goForward()
  await chat.page.goBack()
  expect(await textOf(chat)).toBe(whole(said))
  const id = chat.page.url().split('/').at(-1)
  await chat.page.request.patch(`/api/conversations/${id}`, {
    data: { title: 'Still heard' },
    headers: { origin: new URL(chat.page.url()).origin },
  })
  await expect(list(chat.page).getByRole('link', { name: 'Still heard' })).toBeVisible()
})

test('a page that the browser keeps for the way back is left alone, and is as new when it is back', async ({
  chat,
  line,
}) => {
  await chat.open(await chat.makeAgent())
  await chat.ask('hello')
  const turn = (type: string) =>
    chat.page.evaluate((name) => dispatchEvent(new PageTransitionEvent(name, { persisted: true })), type)
  await turn('pagehide')
  await expect.poll(() => line.count(events)).toBe(0)
  const path = `/api/conversations/${chat.page.url().split('/').at(-1)}`
  const headers = { origin: line.url }
  await chat.page.request.patch(path, { data: { title: 'Named meanwhile' }, headers })
  await turn('pageshow')
  await expect(list(chat.page).getByRole('link', { name: 'Named meanwhile' })).toBeVisible()
  expect(line.count(events)).toBe(1)
})

test('a conversation that is deleted while it is answered leaves on the page what was seen', async ({
  chat,
  line,
  model,
}) => {
  model.script({ text: words(2000), delayMs: 20 })
  await chat.open(await chat.makeAgent(openai))
  await chat.say('tell me')
  await expect(chat.answer).toContainText('wörd30 ')
  const before = await textOf(chat)
  const path = `/api/conversations/${chat.page.url().split('/').at(-1)}`
  await chat.page.request.delete(path, { headers: { origin: line.url } })
  await expect(chat.page.getByText('This conversation was deleted')).toBeVisible()
  await expect(chat.answer.getByText('Stopped', { exact: true })).toBeVisible()
  expect((await textOf(chat)).startsWith(before)).toBe(true)
})

test('signing out in one tab is said in the other, and signing in again mends it', async ({ chat }) => {
  const agent = await chat.makeAgent()
  await chat.open(agent)
  await chat.ask('hello')
  const { email } = (await (await chat.page.request.get('/api/auth/me')).json()).user
  const headers = { origin: new URL(chat.page.url()).origin }
  await chat.page.request.post('/api/auth/logout', { headers })
  const notice = chat.page.getByRole('alert').filter({ hasText: 'You are signed out.' })
  await expect(notice).toBeVisible()
  await chat.page.request.post('/api/auth/login', { data: { email, password }, headers })
  await chat.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  await expect(notice).toBeHidden()
  await chat.ask('back again')
  await expect(chat.answer).toContainText('I have no answer to that')
})

test('a page of one account hears nothing of another who signs in in the same browser', async ({
  chat,
  line,
}) => {
  await chat.open(await chat.makeAgent())
  await chat.ask('mine')
  const page = await chat.page.context().newPage()
  await page.goto('/health')
  const headers = { origin: line.url }
  const email = `other-${crypto.randomUUID()}@example.com`
  await page.request.post('/api/auth/register', { data: { email, password }, headers })
  await line.cut()
  await line.restore()
  await expect(chat.page.getByRole('alert').filter({ hasText: 'You are signed out.' })).toBeVisible()
  await expect(list(chat.page).getByRole('link', { name: 'mine' })).toBeVisible()
})

test('a browser without shared workers hears all of it in each page', async ({ chat, line, model }) => {
  await chat.page.context().addInitScript(() => Reflect.deleteProperty(window, 'SharedWorker'))
  await chat.open(await chat.makeAgent(openai))
  const said = words(100)
  model.script({ text: said, delayMs: 150 })
  await chat.say('tell me')
  const second = new Chat(await chat.page.context().newPage())
  await expect(chat.page).toHaveURL(/\/chat\/[^/]+\/[^/]+$/)
  await second.page.goto(chat.page.url())
  await expect(second.answer).toContainText('wörd10 ')
  const seen = [await watchAnswer(chat), await watchAnswer(second)]
  await line.cut()
  await expect(chat.page.getByText('Reconnecting.')).toBeVisible()
  await line.restore()
  for (const { send } of [chat, second]) await expect(send).toBeVisible({ timeout: 60_000 })
  for (const read of seen) expectGrowth(await read(), whole(said))
  await expect.poll(() => line.count(events)).toBe(2)
})
