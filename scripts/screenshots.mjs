// npm run screenshots -- [ADDRESS] [FOLDER]: pictures of every page of a running server, light and dark, at desktop and
// phone width; public/screenshot.png, which the README shows, is one of them. Makes an account of its own there.
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from '@playwright/test'
import { locateChromium } from './chromium.mjs'

const base = process.argv[2] ?? 'http://127.0.0.1:3000'
const folder = process.argv[3] ?? '.cache/screenshots'
const widths = [1440, 768, 360]
const password = 'a password for pictures'
const email = `pictures-${Date.now()}@example.com`

mkdirSync(folder, { recursive: true })
const browser = await chromium.launch({
  executablePath: locateChromium(),
  chromiumSandbox: process.getuid?.() !== 0,
})
try {
  const session = await prepare()
  for (const colorScheme of /** @type {const} */ (['light', 'dark']))
    for (const width of widths) await takeAll(session, colorScheme, width)
  copyFileSync(join(folder, 'chat-1440-light.png'), 'public/screenshot.png')
  console.log(`Pictures are in ${folder}.`)
} finally {
  await browser.close()
}

/** Makes an account with something to show, and returns its cookies and pages. */
async function prepare() {
  const context = await browser.newContext()
  const { request } = context
  /** @type {(path: string, data: unknown) => Promise<any>} */
  const post = async (path, data) => {
    const answer = await request.post(base + path, { data, headers: { origin: base } })
    if (!answer.ok()) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`)
    return answer.json()
  }
  await post('/api/auth/register', { email, password, name: 'Ada Lovelace' })
  const project = await post('/api/projects', {
    name: 'Support',
    description: 'Answers for the people who use us.',
  })
  const agent = await post(`/api/projects/${project.id}/agents`, {
    name: 'Release notes',
    description: 'Turns a list of changes into a note that people read.',
    model_provider: 'demo',
  })
  await post(`/api/agents/${agent.id}/prompts`, {
    title: 'Weekly note',
    content: 'Write a note about {{topic}}.',
    variables: [{ name: 'topic' }],
  })
  let conversation
  for (const text of ['Show me markdown, please', 'Which code can you show?']) {
    conversation = (await post(`/api/agents/${agent.id}/conversations`, {})).conversation
    await post(`/api/conversations/${conversation.id}/messages`, {
      id: crypto.randomUUID(),
      parent_id: null,
      text,
    })
  }
  await waitForAnswer(request, conversation.id)
  const storageState = await context.storageState()
  await context.close()
  return { storageState, pages: pagesOf(project.id, agent.id, conversation.id) }
}

/** @type {(projectId: string, agentId: string, conversationId: string) => Record<string, string>} */
function pagesOf(projectId, agentId, conversationId) {
  return {
    login: '/login',
    register: '/register',
    dashboard: '/dashboard',
    projects: '/projects',
    project: `/projects/${projectId}`,
    agent: `/projects/${projectId}/agents/${agentId}`,
    'chat-empty': `/chat/${agentId}`,
    chat: `/chat/${agentId}/${conversationId}`,
    vault: '/vault',
    keys: '/keys',
    sessions: '/sessions',
    usage: '/usage',
    settings: '/settings',
  }
}

/** @type {(request: import('@playwright/test').APIRequestContext, id: string) => Promise<void>} */
async function waitForAnswer(request, id) {
  for (let tries = 0; tries < 120; tries++) {
    const view = await (await request.get(`${base}/api/conversations/${id}`)).json()
    if (view.running_reply_id === null) return
    await new Promise((done) => setTimeout(done, 500))
  }
  throw new Error('The answer did not end.')
}

/** @type {(session: Awaited<ReturnType<typeof prepare>>, colorScheme: 'light' | 'dark', width: number) => Promise<void>} */
async function takeAll({ storageState, pages }, colorScheme, width) {
  const size = { width, height: width < 500 ? 740 : 900 }
  for (const [name, path] of Object.entries(pages)) {
    const isPublic = name === 'login' || name === 'register'
    const context = await browser.newContext({
      viewport: size,
      colorScheme,
      deviceScaleFactor: width < 500 ? 2 : 1,
      hasTouch: width < 500,
      ...(isPublic ? {} : { storageState }),
    })
    const page = await context.newPage()
    await page.goto(base + path, { waitUntil: 'load' })
    await page.waitForTimeout(700)
    await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`) })
    await context.close()
  }
}
