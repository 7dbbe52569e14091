import type { Page } from '@playwright/test'
import OpenAI from 'openai'
import type { KeyRecord } from '../../lib/contracts/keys'
import { holdScripts } from '../support/browser'
import { Chat } from '../support/chat-page'
import { expect, test } from '../support/keys-page'
import { withinOneMinute } from '../support/minute'
import { echoOf, type Script } from '../support/openai'
import { findSecret, isInMemory } from '../support/secret-search'

const clientOf = (baseURL: string, apiKey: string) =>
  new OpenAI({ baseURL: `${baseURL}/v1`, apiKey, maxRetries: 0 })

const hello = [{ role: 'user' as const, content: 'Hello' }]

async function makeByApi(page: Page, fields: object = {}): Promise<KeyRecord & { key: string }> {
  const made = await new Chat(page).post('/api/keys', { name: 'Program', scopes: ['gateway'], ...fields })
  return made as unknown as KeyRecord & { key: string }
}

async function readRecord(page: Page): Promise<KeyRecord> {
  const [record] = (await (await page.request.get('/api/keys')).json()).items
  return record
}

const fact = (page: Page, name: string) =>
  page.getByRole('region', { name: 'Limits' }).getByText(name, { exact: true }).locator('..')

test('a key is made with limits, says them in words, and they can be changed', async ({ keys, page }) => {
  await keys.begin()
  await keys.dialog.getByLabel('Name').fill('Careful')
  await keys.unfoldLimits()
  await keys.dialog.getByLabel('Budget').fill('2.50')
  await keys.dialog.getByRole('combobox', { name: 'For each' }).click()
  await page.getByRole('option', { name: 'a day' }).click()
  await keys.dialog.getByLabel('Requests a minute').fill('60')
  await keys.dialog.getByLabel('Tokens a minute').fill('100000')
  const models = keys.dialog.getByLabel('Models', { exact: true })
  await models.pressSequentially('gpt-5*,o3')
  await models.press('Enter')
  const others = keys.dialog.getByLabel('Fall back to other models')
  await others.fill('gpt-5-n')
  await page.getByRole('option', { name: 'gpt-5-nano' }).click()
  await keys.dialog.getByRole('switch', { name: 'Fall back to the next provider key' }).click()
  await keys.dialog.getByRole('combobox', { name: 'Keep answers' }).click()
  await page.getByRole('option', { name: '5 minutes' }).click()
  await keys.dialog.getByRole('button', { name: 'Limits' }).click()
  await expect(keys.dialog.getByRole('region', { name: 'Limits' })).toContainText(
    '$2.50 a day · 60 requests a minute · 100,000 tokens a minute · only gpt-5*, o3 · falls back to the next key, then gpt-5-nano · answers kept for 5 minutes',
  )
  await keys.dialog.getByRole('button', { name: 'Make key' }).click()
  await keys.read()
  const chosen = {
    budget_usd: 2.5,
    budget_period: 'day',
    requests_per_minute: 60,
    tokens_per_minute: 100_000,
    allowed_models: ['gpt-5*', 'o3'],
    fallback_credentials: true,
    fallback_models: ['gpt-5-nano'],
    cache_seconds: 300,
  }
  expect(await readRecord(page)).toMatchObject(chosen)
  await keys.dialog.getByRole('button', { name: 'Done' }).click()
  await expect(keys.row('Careful')).toContainText('$0.00 of $2.50')

  await keys.open('Careful')
  await expect(fact(page, 'Models')).toContainText('gpt-5*, o3')
  await expect(fact(page, 'Falls back to')).toContainText('The next key, then gpt-5-nano')
  await page.getByRole('button', { name: 'Change' }).click()
  await keys.dialog.getByLabel('Name').fill('Careless')
  await keys.dialog.getByLabel('Budget').fill('')
  await keys.dialog.getByRole('button', { name: 'Remove o3' }).click()
  await keys.dialog.getByRole('button', { name: 'Save' }).click()
  await expect(keys.dialog).toHaveCount(0)
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Careless')
  await expect(fact(page, 'Models')).toContainText('gpt-5*')
  await expect(fact(page, 'Budget')).toContainText('None')
  await expect(page.getByRole('button', { name: 'Change' })).toBeFocused()
  expect(await readRecord(page)).toMatchObject({
    ...chosen,
    name: 'Careless',
    budget_usd: null,
    allowed_models: ['gpt-5*'],
  })
})

test('what is wrong with a limit is said at its field, and nothing is lost', async ({ keys, page }) => {
  await keys.begin()
  await keys.dialog.getByLabel('Name').fill('Faulty')
  await keys.unfoldLimits()
  const models = keys.dialog.getByLabel('Models', { exact: true })
  await models.pressSequentially('gpt-5 *mini ')
  // Escape closes the list of choices alone.
  await models.press('Escape')
  await keys.dialog.getByRole('button', { name: 'Make key' }).click()
  await expect(keys.dialog.getByText('“*mini”: Enter the name of a model, such as gpt-5*.')).toBeVisible()
  await keys.dialog.getByRole('button', { name: 'Remove *mini' }).click()
  await keys.dialog.getByRole('button', { name: 'Make key' }).click()
  await keys.read()
  expect(await readRecord(page)).toMatchObject({ name: 'Faulty', allowed_models: ['gpt-5'] })
})

test('choices of models never stay in sight without the field that they belong to', async ({
  keys,
  page,
}) => {
  await keys.begin()
  await keys.unfoldLimits()
  const strays = page.evaluate(async () => {
    const deadline = performance.now() + 60_000
    let isOver = false
    for (let wasSeen = false; !isOver; ) {
      if (performance.now() > deadline) return 'the choices never came and went'
      const list = document.querySelector('[role=listbox]')
      const isOwned = list && document.querySelector(`[aria-expanded=true][aria-controls="${list.id}"]`)
      if (list?.checkVisibility() && !isOwned) return 'the choices stand alone'
      isOver = wasSeen && list === null
      wasSeen ||= list !== null
      await new Promise((next) => setTimeout(next))
    }
    return null
  })
  await keys.dialog.getByLabel('Models', { exact: true }).fill('gpt')
  await expect(page.getByRole('option').first()).toBeVisible()
  await keys.dialog.getByLabel('Name').focus()
  expect(await strays).toBeNull()
})

test('a call with the key appears in its traffic by itself, and opens to all that is known', async ({
  keys,
  page,
  baseURL,
}) => {
  const { id, key } = await makeByApi(page)
  await page.goto(`/keys/${id}`)
  await expect(page.getByRole('heading', { name: 'No calls yet' })).toBeVisible()
  const { usage } = await clientOf(baseURL, key).chat.completions.create({
    model: 'gpt-5-mini',
    messages: hello,
  })
  const row = keys.traffic.getByRole('row').filter({ hasText: 'gpt-5-mini' })
  await expect(row).toBeVisible()
  await expect(row).toContainText(`${usage?.prompt_tokens}`)
  await row.getByRole('button', { name: /^Details/ }).click()
  await expect(keys.traffic).toContainText(`${usage?.prompt_tokens} in, ${usage?.completion_tokens} out`)
  await expect(page.getByLabel('About this key')).toContainText('Just now')
})

test('new calls do not move what is being read; they wait until they are asked for', async ({
  keys,
  page,
  baseURL,
}) => {
  const { id, key } = await makeByApi(page)
  const openai = clientOf(baseURL, key)
  await openai.embeddings.create({ model: 'text-embedding-3-small', input: 'a' })
  await page.goto(`/keys/${id}`)
  const first = keys.traffic.getByRole('button', { name: /^Details/ })
  await expect(first).toHaveCount(1)
  await first.focus()
  await openai.embeddings.create({ model: 'text-embedding-3-large', input: 'a' })
  await page.getByRole('button', { name: 'Show 1 new call' }).click()
  await expect(keys.traffic.getByRole('row').nth(1)).toContainText('text-embedding-3-large')
  await expect(keys.traffic.getByRole('row').nth(2)).toContainText('text-embedding-3-small')
})

test('traffic is read on to its first call, each call once', async ({ keys, page, baseURL }) => {
  const { id, key } = await makeByApi(page)
  const openai = clientOf(baseURL, key)
  for (let n = 1; n <= 12; n += 1) await openai.embeddings.create({ model: `model-${n}`, input: 'a' })
  const path = `/api/keys/${id}/traffic`
  await expect.poll(async () => (await (await page.request.get(path)).json()).items.length).toBe(12)
  await page.goto(`/keys/${id}`)
  await expect(keys.traffic.getByRole('row')).toHaveCount(11)
  await page.getByRole('button', { name: 'Show more' }).click()
  await expect(keys.traffic.getByRole('row')).toHaveCount(13)
  const names = await keys.traffic
    .getByRole('button', { name: /^Details/ })
    .evaluateAll((buttons) =>
      buttons.map((button) => button.getAttribute('aria-label')?.match(/model-\d+/)?.[0]),
    )
  expect(new Set(names).size).toBe(12)
})

test('a page that has lost its server says so, and goes on when it is back', async ({
  keys,
  page,
  baseURL,
}) => {
  const { id, key } = await makeByApi(page)
  await page.goto(`/keys/${id}`)
  await page.route('**/traffic*', (route) => route.abort())
  await expect(page.getByText('This is not kept up to date')).toBeVisible({ timeout: 20_000 })
  await page.unroute('**/traffic*')
  await clientOf(baseURL, key).embeddings.create({ model: 'text-embedding-3-small', input: 'a' })
  await expect(keys.traffic).toContainText('text-embedding-3-small', { timeout: 20_000 })
  await expect(page.getByText('This is not kept up to date')).toHaveCount(0)
})

test('snippets are copied with the address of this page and the model or agent that was chosen', async ({
  keys,
  page,
  baseURL,
}) => {
  const { agentId } = await new Chat(page).makeAgent({ name: 'Triage' })
  const { id } = await makeByApi(page)
  await page.goto(`/keys/${id}`)
  const section = page.getByRole('region', { name: 'Use it' })
  for (const [name, words] of [
    ['Python', 'from openai import OpenAI'],
    ['Node', "import OpenAI from 'openai'"],
    ['AI SDK', '@ai-sdk/openai'],
    ['curl', 'curl '],
    ['LangChain', 'langchain_openai'],
  ] as const) {
    await section.getByRole('tab', { name }).click()
    await section.getByRole('button', { name: 'Copy' }).click()
    await expect.poll(() => keys.copied()).toContain(words)
    const code = await keys.copied()
    for (const part of [`${baseURL}/v1`, 'gpt-5-mini', 'AL_CHAT_KEY']) expect(code).toContain(part)
  }
  await section.getByRole('combobox', { name: 'Model' }).click()
  await page.getByRole('option', { name: 'Triage' }).click()
  await section.getByRole('button', { name: 'Copy' }).click()
  await expect.poll(() => keys.copied()).toContain(`agent:${agentId}`)
})

test('what cannot be heard yet cannot be pressed: tabs and Copy wait for the page', async ({
  keys,
  page,
}) => {
  const release = await holdScripts(page)
  await page.goto('/keys', { waitUntil: 'commit' })
  const tab = page.getByRole('tab', { name: 'curl' })
  const copy = page.getByRole('button', { name: 'Copy' })
  await expect(tab).toBeDisabled()
  await expect(copy).toBeDisabled()
  release()
  await tab.click()
  await copy.click()
  await expect.poll(() => keys.copied()).toContain('curl')
})

test('with a key just made, snippets are copied with the key in them, which is nowhere else', async ({
  keys,
  page,
  baseURL,
}) => {
  const key = await keys.make('Inside')
  await expect(keys.dialog.getByRole('tabpanel')).toContainText('OPENAI_API_KEY="alc_…"')
  await keys.dialog.getByRole('tab', { name: 'Node' }).click()
  await keys.dialog.getByRole('tabpanel').getByRole('button', { name: 'Copy' }).click()
  await expect.poll(() => keys.copied()).toContain(`apiKey: '${key}'`)
  expect(await keys.copied()).toContain(`${baseURL}/v1`)
  expect(await findSecret(page, key)).toEqual(['html'])
  expect((await page.content()).split(key)).toHaveLength(2)
  // It was copied: the window may be left.
  await page.keyboard.press('Escape')
  await expect(keys.dialog).toHaveCount(0)
  expect(await findSecret(page, key)).toEqual([])
  expect(await isInMemory(page, key)).toBe(false)
})

test('trying it streams the answer in place, with what it took', async ({ keys, page, upstream }) => {
  expect(keys.page).toBe(page)
  const { id } = await makeByApi(page)
  await page.goto(`/keys/${id}`)
  const section = page.getByRole('region', { name: 'Try it' })
  const message = section.getByLabel('Message')
  const answer = section.getByRole('region', { name: 'Answer' })
  upstream.script({ text: ['One ', 'two ', 'three.'], delayMs: 6000 })
  await message.fill('Count')
  await message.press('Enter')
  await expect(answer).toContainText(/One two(?! three)/)
  await expect(answer).toContainText('One two three.')
  await expect(answer).toContainText(/First token after .* · .* in all · \d+ tokens in, \d+ out/)
  await expect(answer).toContainText(/Request \S{8,}/)
  await message.fill('Again')
  await section.getByRole('button', { name: 'Ask' }).click()
  await expect(answer).toContainText(echoOf('Again'))
})

test('a trial is stopped, at the model server too, and what had come stays', async ({
  keys,
  page,
  upstream,
}) => {
  expect(keys.page).toBe(page)
  const { id } = await makeByApi(page)
  await page.goto(`/keys/${id}`)
  const section = page.getByRole('region', { name: 'Try it' })
  const answer = section.getByRole('region', { name: 'Answer' })
  upstream.script({ text: Array.from({ length: 600 }, (_, n) => `word${n} `), delayMs: 100 })
  await section.getByRole('button', { name: 'Ask' }).click()
  await expect(answer).toContainText('word3')
  await section.getByRole('button', { name: 'Stop' }).click()
  await expect(section.getByRole('button', { name: 'Ask' })).toBeVisible()
  await expect(answer).toContainText('Stopped')
  await expect(answer).toContainText('word3')
  await expect(section.getByLabel('Message')).toBeFocused()
  await expect.poll(() => upstream.journal.at(-1)?.closedByClientAt).toBeGreaterThan(0)
})

test('a trial that is refused, or breaks off, is told in plain words with its request', async ({
  keys,
  page,
  upstream,
}) => {
  expect(keys.page).toBe(page)
  const { id } = await makeByApi(page)
  await page.goto(`/keys/${id}`)
  const section = page.getByRole('region', { name: 'Try it' })
  const alert = section.getByRole('alert')
  const refusals: [Script, string][] = [
    [{ error: 'insufficient_quota' }, 'There is no budget or credit left'],
    [{ error: 'model_not_found' }, 'has no model “gpt-5-mini”'],
    [{ text: ['One ', 'two '], end: 'cut_before_end', after: 2 }, 'The answer broke off before its end'],
  ]
  for (const [script, words] of refusals) {
    upstream.script(script)
    await section.getByRole('button', { name: 'Ask' }).click()
    await expect(alert).toContainText(words)
    await expect(alert).toContainText(/Request \S{8,}/)
  }
  await expect(section.getByRole('region', { name: 'Answer' })).toContainText('One two')
})

test('another’s key, a revoked one and none at all have no page', async ({ keys, page, baseURL }) => {
  expect(keys.page).toBe(page)
  const { id } = await makeByApi(page)
  await page.request.delete(`/api/keys/${id}`, { headers: { origin: baseURL } })
  for (const path of [`/keys/${id}`, '/keys/01a229ab-e387-7214-9c65-e03157c62508', '/keys/none']) {
    const answer = await page.goto(path)
    expect([path, answer?.status()]).toEqual([path, 404])
  }
})

test('a key just made is tried itself: what its limits refuse is told in plain words', async ({
  keys,
  page,
}) => {
  await keys.begin()
  await keys.dialog.getByLabel('Name').fill('Spent')
  await keys.unfoldLimits()
  await keys.dialog.getByLabel('Requests a minute').fill('1')
  await keys.dialog.getByRole('button', { name: 'Make key' }).click()
  const key = await keys.read()
  await keys.dialog.getByRole('tab', { name: 'Try it' }).click()
  // Both questions within one minute, as it is counted.
  await withinOneMinute()
  await keys.dialog.getByRole('button', { name: 'Ask' }).click()
  await expect(keys.dialog.getByRole('region', { name: 'Answer' })).toContainText(
    echoOf('Say hello in one sentence.'),
  )
  await keys.dialog.getByRole('button', { name: 'Ask' }).click()
  const alert = keys.dialog.getByRole('region', { name: 'Answer' }).getByRole('alert')
  await expect(alert).toContainText('Too much is asked at the moment.')
  await expect(alert).toContainText('This API key may make 1 requests a minute')
  await keys.dialog.getByRole('button', { name: 'Done' }).click()
  expect(await findSecret(page, key)).toEqual([])
  expect(await isInMemory(page, key)).toBe(false)
  await keys.open('Spent')
  await expect(keys.traffic.getByRole('row').filter({ hasText: 'gpt-5-mini' })).toHaveCount(1)
})

test('a budget is spent call by call, refuses what it does not pay for, and the page shows it', async ({
  keys,
  page,
  baseURL,
}) => {
  const { id, key } = await makeByApi(page, { budget_usd: 0.0001, budget_period: 'day' })
  await page.goto(`/keys/${id}`)
  await expect(fact(page, 'Budget')).toContainText('$0.00 of $0.0001')
  const ask = () =>
    clientOf(baseURL, key)
      .chat.completions.create({ model: 'gpt-5-mini', messages: hello, max_completion_tokens: 10 })
      .then(
        () => null,
        (error: unknown) => error,
      )
  let refused: unknown = null
  let paid = -1
  for (; refused === null && paid < 30; paid += 1) refused = await ask()
  expect(refused).toMatchObject({ status: 429, code: 'insufficient_quota' })
  expect(paid).toBeGreaterThan(0)
  await expect(fact(page, 'Budget')).toContainText(/\$0\.0000\d+ of \$0\.0001/)
  await expect(keys.traffic.getByRole('row')).toHaveCount(Math.min(10, paid) + 1)
  const { spent_usd, budget_usd } = await readRecord(page)
  expect(spent_usd).toBeGreaterThan(0)
  expect(spent_usd).toBeLessThanOrEqual(Number(budget_usd))
})
