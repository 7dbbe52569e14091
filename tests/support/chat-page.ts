import type { Locator, Page } from '@playwright/test'
import { test as base, expect } from './browser'
import { password } from './client'

/** A project and an agent in it. */
export type Agent = { projectId: string; agentId: string }
type Made = Record<string, string>

/** The chat page as someone uses it who is signed in and has an agent. */
export class Chat {
  readonly page: Page
  readonly composer: Locator
  readonly stop: Locator
  readonly send: Locator
  readonly answer: Locator

  constructor(page: Page) {
    this.page = page
    this.composer = page.getByRole('textbox', { name: 'Message', exact: true })
    this.stop = page.getByRole('button', { name: 'Stop', exact: true })
    this.send = page.getByRole('button', { name: 'Send', exact: true })
    this.answer = page.getByRole('article', { name: 'Answer' }).last()
  }

  async post(path: string, data: unknown): Promise<Made> {
    const answer = await this.page.request.post(path, {
      data,
      headers: { origin: new URL(this.page.url()).origin },
    })
    expect(answer.ok(), await answer.text()).toBe(true)
    return answer.json()
  }

  async makeAgent(fields: Record<string, unknown> = {}): Promise<Agent> {
    const project = await this.post('/api/projects', { name: 'Project' })
    const agent = await this.post(`/api/projects/${project.id}/agents`, {
      name: 'Guide',
      model_provider: 'demo',
      ...fields,
    })
    return { projectId: String(project.id), agentId: String(agent.id) }
  }

  async open({ agentId }: Agent): Promise<void> {
    await this.page.goto(`/chat/${agentId}`)
    await expect(this.composer).toBeFocused()
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text)
    await this.composer.press('Enter')
  }

  /** Says something and waits until its answer has ended. */
  async ask(text: string): Promise<void> {
    const answers = await this.page.getByRole('article', { name: 'Answer' }).count()
    await this.say(text)
    await expect(this.page.getByRole('article', { name: 'Answer' })).toHaveCount(answers + 1)
    await expect(this.send).toBeVisible({ timeout: 30_000 })
  }

  /** The conversation as the server keeps it. */
  async stored(): Promise<{ role: string; status: string; text: string }[]> {
    await expect(this.page).toHaveURL(/\/chat\/[^/]+\/[^/]+$/)
    const answer = await this.page.request.get(`/api/conversations/${this.page.url().split('/').at(-1)}`)
    return (await answer.json()).messages
  }

  /** Characters that the last answer has on the page. */
  async length(): Promise<number> {
    return (await this.answer.textContent())?.length ?? 0
  }

  distanceToEnd(): Promise<number> {
    return this.page
      .locator('[data-scroller]')
      .evaluate((element) => Math.round(element.scrollHeight - element.clientHeight - element.scrollTop))
  }
}

/** What the browser will complain about on this page. */
export function noteComplaints(page: Page): string[] {
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // The browser itself reports each refused request; those are made on purpose here.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text()))
      complaints.push(message.text())
  })
  return complaints
}

/** Someone new who is signed in; whatever the browser complains about on the way is a failure. */
export const test = base.extend<{ chat: Chat }>({
  chat: async ({ page, baseURL }, use) => {
    const complaints = noteComplaints(page)
    await page.goto('/login')
    const email = `chat-${crypto.randomUUID()}@example.com`
    const made = await page.request.post('/api/auth/register', {
      data: { email, password, name: 'Ada' },
      headers: { origin: baseURL },
    })
    expect(made.status()).toBe(201)
    await use(new Chat(page))
    expect(complaints).toEqual([])
  },
})

export { expect } from '@playwright/test'
