import AxeBuilder from '@axe-core/playwright'
import { holdScripts } from '../support/browser'
import { expect, test } from '../support/chat-page'
import { startOpenAI } from '../support/openai'

test('an answer streams in, survives a reload in its middle, and is there once', async ({ chat, page }) => {
  await chat.open(await chat.makeAgent())
  await chat.say('markdown')
  await expect(chat.answer).toContainText('A page of Markdown')
  await expect(chat.stop).toBeVisible()
  await page.reload()
  await expect(chat.answer).toContainText('A rule ends the page.', { timeout: 30_000 })
  await expect(chat.send).toBeVisible()
  await expect(chat.answer.getByText('Demo model — not an AI')).toBeVisible()
  const [, answer] = await chat.stored()
  expect(answer?.status).toBe('completed')
  await page.reload()
  expect((await chat.answer.textContent())?.match(/A page of Markdown/g)).toHaveLength(1)
  await expect(page.getByRole('navigation', { name: 'Conversations' }).getByRole('link')).toHaveAttribute(
    'aria-current',
    'page',
  )
})

test('someone whose session is over keeps what was written', async ({ chat, page, context }) => {
  await chat.open(await chat.makeAgent())
  await chat.ask('hello')
  await context.clearCookies()
  await chat.say('still here?')
  await expect(page.getByText('You are signed out.')).toBeVisible()
  const link = page.getByRole('link', { name: 'Sign in' })
  await expect(link).toHaveAttribute(
    'href',
    `/login?next=${encodeURIComponent(new URL(page.url()).pathname)}`,
  )
})

test('Escape stops the answer, and what was said stays', async ({ chat, page }) => {
  await chat.open(await chat.makeAgent())
  await chat.say('slow')
  await expect(chat.answer).toContainText('Some models think')
  await page.keyboard.press('Escape')
  await expect(chat.answer.getByText('Stopped', { exact: true })).toBeVisible()
  const [, answer] = await chat.stored()
  expect(answer).toMatchObject({ status: 'stopped', text: expect.stringContaining('Some models think') })
  await page.reload()
  await expect(chat.answer).toContainText('Some models think')
  await expect(chat.answer).not.toContainText('keep what you have')
})

test('an edit makes a branch; both are there, also after a reload', async ({ chat, page }) => {
  await chat.open(await chat.makeAgent())
  await chat.ask('first question')
  await chat.ask('second question')
  await page.getByRole('article', { name: 'Your message' }).last().hover()
  await page.getByRole('button', { name: 'Edit' }).last().click()
  await page.getByRole('textbox', { name: 'Edit your message' }).fill('another question')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('group', { name: 'Versions of this message' })).toContainText('2/2')
  await expect(chat.send).toBeVisible()
  await expect(page.getByText('second question')).toBeHidden()
  await page.getByRole('button', { name: 'Previous version' }).click()
  await expect(page.getByRole('article', { name: 'Your message' }).last()).toContainText('second question')
  await expect(page.getByRole('group', { name: 'Versions of this message' })).toContainText('1/2')
  expect(await chat.stored()).toHaveLength(6)
  await page.reload()
  await expect(page.getByRole('group', { name: 'Versions of this message' })).toBeVisible()
})

test('a second answer stands beside the first', async ({ chat, page }) => {
  await chat.open(await chat.makeAgent())
  await chat.ask('hello')
  await chat.answer.getByRole('button', { name: 'Regenerate' }).click()
  await expect(chat.answer.getByRole('group', { name: 'Versions of this message' })).toContainText('2/2')
  await expect(chat.send).toBeVisible()
  expect((await chat.stored()).map(({ role }) => role)).toEqual(['user', 'assistant', 'assistant'])
  await page.getByRole('button', { name: 'Previous version' }).click()
  await expect(chat.answer.getByRole('group', { name: 'Versions of this message' })).toContainText('1/2')
})

test('errors of the model say what happened and what to do; what arrived stays', async ({ chat, page }) => {
  const upstream = await startOpenAI()
  const agent = await chat.makeAgent({ model_provider: 'openai', model_name: 'gpt-5-mini' })
  await chat.post('/api/credentials', {
    credentialType: 'openai',
    baseUrl: upstream.baseUrl,
    credentials: { api_key: 'sk-test-0123456789abcdef9e77' },
  })
  await chat.open(agent)

  upstream.script({ error: 'invalid_api_key' })
  await chat.ask('wrong key')
  await expect(chat.answer.getByRole('link', { name: 'Open the vault' })).toHaveAttribute('href', '/vault')
  await expect(chat.answer).not.toContainText('0123456789abcdef')
  await expect(chat.answer).toContainText('Request ')

  upstream.script({ text: ['The first ', 'half of ', 'an answer', ' that is cut'], after: 3, end: 'reset' })
  await chat.ask('cut off')
  await expect(chat.answer).toContainText('The first half of an answer')
  await expect(chat.answer).toContainText(/kept/)

  upstream.script({ text: 'All of it, **this time**.' })
  await chat.answer.getByRole('button', { name: 'Try again' }).click()
  await expect(chat.answer).toContainText('All of it, this time.')
  await expect(chat.answer.getByRole('group', { name: 'Versions of this message' })).toContainText('2/2')

  upstream.script({ reasoning: 'It weighs both sides.', text: 'Yes.' })
  await chat.ask('think')
  await expect(chat.answer.getByText('It weighs both sides.')).toBeHidden()
  await page.getByText('How it thought').click()
  await expect(chat.answer.getByText('It weighs both sides.')).toBeVisible()

  const gone = await page.request.delete(`/api/conversations/${page.url().split('/').at(-1)}`, {
    headers: { origin: new URL(page.url()).origin },
  })
  expect(gone.ok()).toBe(true)
  await chat.say('to nobody')
  await expect(page.getByText('This conversation is not there any more')).toBeVisible()
  await page.getByRole('button', { name: 'Back to the composer' }).click()
  await expect(chat.composer).toHaveValue('to nobody')
  await upstream.close()
})

test('the page stays at the end only while the reader is there', async ({ chat, page }) => {
  await chat.open(await chat.makeAgent())
  await chat.ask('code')
  await chat.say('long')
  await expect(chat.answer).toContainText('How an answer reaches you')
  await expect.poll(() => chat.length()).toBeGreaterThan(1500)
  expect(await chat.distanceToEnd()).toBeLessThan(40)
  await page.locator('[data-scroller]').hover()
  await page.mouse.wheel(0, -600)
  const jump = page.getByRole('button', { name: 'Jump to the latest message' })
  await expect(jump).toBeVisible()
  const before = await page.locator('[data-scroller]').evaluate((element) => element.scrollTop)
  const length = await chat.length()
  await expect.poll(() => chat.length()).toBeGreaterThan(length + 300)
  expect(await page.locator('[data-scroller]').evaluate((element) => element.scrollTop)).toBe(before)
  await jump.click()
  await expect(jump).toBeHidden()
  await expect.poll(() => chat.distanceToEnd()).toBeLessThan(40)
  await chat.stop.click()
})

test('everything works by keyboard', async ({ chat, page }) => {
  const agent = await chat.makeAgent()
  await chat.post(`/api/agents/${agent.agentId}/prompts`, {
    title: 'Greet',
    content: 'Greet {{name}} warmly',
  })
  await chat.post(`/api/agents/${agent.agentId}/prompts`, {
    title: 'Sum up',
    content: 'Sum up what was said',
  })
  await chat.open(agent)
  await page.keyboard.type('/gre')
  await expect(page.getByRole('option', { name: /Greet/ })).toHaveAttribute('aria-selected', 'true')
  await page.keyboard.press('Enter')
  await page.getByRole('textbox', { name: 'name' }).fill('Grace')
  await page.getByRole('button', { name: 'Insert' }).press('Enter')
  await expect(chat.composer).toHaveValue('Greet Grace warmly')
  await expect(chat.composer).toBeFocused()
  await page.keyboard.press('Shift+Enter')
  await page.keyboard.type('and soon')
  await expect(chat.composer).toHaveValue('Greet Grace warmly\nand soon')
  await page.keyboard.press('Enter')
  await expect(chat.answer).toBeVisible()
  await expect(chat.send).toBeVisible({ timeout: 30_000 })
  await expect(chat.composer).toBeFocused()
  await page.keyboard.press('ArrowUp')
  const editor = page.getByRole('textbox', { name: 'Edit your message' })
  await expect(editor).toBeFocused()
  await page.keyboard.press('Escape')
  await expect(editor).toBeHidden()
  await expect(chat.composer).toBeFocused()
  const jump = page.getByRole('button', { name: 'Jump to the latest message' })
  await expect(jump).toBeVisible()
  await page.keyboard.press('Shift+Tab')
  await expect(jump).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(chat.composer).toBeFocused()
  await expect(jump).toBeHidden()
  await page.keyboard.press('Shift+Tab')
  await expect(chat.answer.getByRole('button', { name: 'Regenerate' })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(chat.answer.getByRole('group', { name: 'Versions of this message' })).toContainText('2/2')
})

test('what is typed before the page has come to life is sent as well', async ({ chat, page }) => {
  const { agentId } = await chat.makeAgent()
  const release = await holdScripts(page)
  await page.goto(`/chat/${agentId}`, { waitUntil: 'commit' })
  await chat.composer.fill('early bird')
  release()
  await expect(chat.send).toBeEnabled()
  await chat.composer.press('Enter')
  await expect(chat.answer).toBeVisible()
  expect((await chat.stored())[0]).toMatchObject({ role: 'user', text: 'early bird' })
})

test('a draft waits in its own conversation', async ({ chat, page }) => {
  const agent = await chat.makeAgent()
  await chat.open(agent)
  await chat.ask('hello')
  await chat.composer.fill('half a thought')
  await page.getByRole('link', { name: 'New chat' }).first().click()
  await expect(page.getByRole('heading', { name: 'Guide' })).toBeVisible()
  await expect(chat.composer).toHaveValue('')
  await page.goBack()
  await expect(chat.answer).toBeVisible()
  await expect(chat.composer).toHaveValue('half a thought')
})

test('a conversation is renamed, pinned, and deleted with ten seconds to think', async ({ chat, page }) => {
  await chat.open(await chat.makeAgent())
  await chat.ask('hello')
  const list = page.getByRole('navigation', { name: 'Conversations' })
  const options = list.getByRole('button', { name: /^Options for/ })
  await list.getByRole('listitem').hover()
  await options.click()
  await page.getByRole('menuitem', { name: 'Rename' }).click()
  await page.getByRole('textbox', { name: 'Title of the conversation' }).fill('Named by hand')
  await page.keyboard.press('Enter')
  await expect(list.getByRole('link', { name: 'Named by hand' })).toBeFocused()
  await expect(page).toHaveTitle('Named by hand · AL-Chat')
  await options.click()
  await page.getByRole('menuitem', { name: 'Pin' }).click()
  await expect(list.getByRole('heading', { name: 'Pinned' })).toBeVisible()
  await options.click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  // The offer stays as long as it is pointed at.
  await page.getByRole('button', { name: 'Undo' }).hover()
  await expect(list.getByRole('link', { name: 'Named by hand' })).toBeHidden()
  await expect(page.getByRole('heading', { name: 'Guide' })).toBeVisible()
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(list.getByRole('link', { name: 'Named by hand' })).toBeVisible()
  await page.reload()
  await expect(list.getByRole('link', { name: 'Named by hand' })).toBeVisible()
})

test('an open menu, and a title being typed, stay when the row moves to another group', async ({
  chat,
  page,
}) => {
  const agent = await chat.makeAgent()
  await chat.open(agent)
  await chat.ask('first')
  await chat.open(agent)
  await chat.ask('second')
  const list = page.getByRole('navigation', { name: 'Conversations' })
  const pinned = list.getByRole('heading', { name: 'Pinned' })
  const row = list.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'first' }) })
  const href = (await row.getByRole('link').getAttribute('href')) ?? ''
  const pinElsewhere = async (isPinned: boolean) => {
    const headers = { origin: new URL(page.url()).origin }
    const path = `/api/conversations/${href.split('/').at(-1)}`
    expect((await page.request.patch(path, { data: { pinned: isPinned }, headers })).ok()).toBe(true)
  }
  await row.getByRole('button', { name: 'Options for first' }).focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('menu')).toBeFocused()
  await page.keyboard.press('ArrowDown')
  const rename = page.getByRole('menuitem', { name: 'Rename' })
  await expect(rename).toBeFocused()
  for (const isPinned of [true, false]) {
    await pinElsewhere(isPinned)
    await expect(pinned).toBeVisible({ visible: isPinned })
    await expect(page.getByRole('menuitem', { name: isPinned ? 'Unpin' : 'Pin' })).toBeVisible()
    await expect(rename).toBeFocused()
  }
  await page.keyboard.press('Enter')
  const field = page.getByRole('textbox', { name: 'Title of the conversation' })
  await field.fill('half a ti')
  for (const isPinned of [true, false]) {
    await pinElsewhere(isPinned)
    await expect(pinned).toBeVisible({ visible: isPinned })
    await expect(field).toBeFocused()
    await expect(field).toHaveValue('half a ti')
  }
  await page.keyboard.press('Escape')
  await expect(row.getByRole('link')).toBeFocused()
})

test('nothing of an answer runs, loads or leads anywhere by itself', async ({ chat, page }) => {
  const upstream = await startOpenAI()
  const agent = await chat.makeAgent({ model_provider: 'openai' })
  await chat.post('/api/credentials', {
    credentialType: 'openai',
    baseUrl: upstream.baseUrl,
    credentials: { api_key: 'sk-test-0123456789abcdef9e77' },
  })
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await chat.open(agent)
  upstream.script({
    text: '<img src="https://evil.example/a" onerror="document.title=1"> ![x](https://evil.example/b) [y](javascript:alert(1)) <script>document.title=2</script>',
  })
  await chat.ask('attack')
  await expect(chat.answer).toContainText('<script>')
  await expect(chat.answer.locator('img, script, iframe, a[href^="javascript"]')).toHaveCount(0)
  expect(asked.filter((address) => address.includes('evil.example'))).toEqual([])
  await upstream.close()
})

for (const scheme of ['light', 'dark'] as const) {
  test(`axe finds nothing in ${scheme}`, async ({ chat, page }) => {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    const agent = await chat.makeAgent()
    await chat.post(`/api/agents/${agent.agentId}/prompts`, {
      title: 'Greet',
      content: 'Greet {{name}} warmly',
    })
    const check = async (state: string): Promise<void> => {
      const { violations } = await new AxeBuilder({ page }).analyze()
      expect(violations.map(({ id, nodes }) => `${state}: ${id} ${nodes[0]?.html}`)).toEqual([])
    }
    await chat.open(agent)
    await check('empty')
    await chat.composer.fill('/')
    await check('prompts')
    await chat.ask('code')
    await expect(chat.answer.locator('.code-block span[style]').first()).toBeVisible()
    await check('code')
    await chat.ask('markdown')
    await chat.ask('error')
    await check('failed')
    await page.keyboard.press('ArrowUp')
    await check('editing')
  })
}

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true })

  test('nothing is wider than the screen and every target is large enough', async ({ chat, page }) => {
    const { agentId } = await chat.makeAgent()
    await page.goto(`/chat/${agentId}`)
    // A phone's page does not take the focus; what was typed can be sent once it is alive.
    await chat.composer.fill('code')
    await expect(chat.send).toBeEnabled()
    await chat.ask('code')
    await chat.ask('markdown')
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
    const box = await chat.composer.boundingBox()
    expect(box && box.y + box.height).toBeLessThan(740)
    const small = await page.locator('main').evaluate((main) =>
      [...main.querySelectorAll('button, summary')]
        .map((element) => ({
          name: element.getAttribute('aria-label') ?? element.textContent,
          box: element.getBoundingClientRect(),
        }))
        .filter(({ box: { width, height } }) => width > 1 && (height < 44 || width < 44))
        .map(({ name, box: { width, height } }) => `${name} ${width}×${height}`),
    )
    expect(small).toEqual([])
    await expect(chat.answer.getByRole('button', { name: 'Regenerate' })).toBeInViewport()
    await page.getByRole('button', { name: 'Open the sidebar' }).tap()
    await expect(page.getByRole('dialog').getByRole('link', { name: 'code', exact: true })).toBeVisible()
  })
})
