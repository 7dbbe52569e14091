import AxeBuilder from '@axe-core/playwright'
import { expect, test } from '@playwright/test'
import { password } from '../support/client'
import { startServer } from '../support/server'

test('an answer that a crash cut off says so, keeps its words, and is continued to its end', async ({
  page,
}) => {
  test.setTimeout(120_000)
  const server = await startServer()
  try {
    await page.goto(`${server.url}/login`)
    const post = async (path: string, data: unknown) =>
      (
        await page.request.post(new URL(path, page.url()).href, {
          data,
          headers: { origin: new URL(page.url()).origin },
        })
      ).json()
    await post('/api/auth/register', { email: 'ada@example.com', password, name: 'Ada' })
    const project = await post('/api/projects', { name: 'Project' })
    const agent = await post(`/api/projects/${project.id}/agents`, { name: 'Guide', model_provider: 'demo' })
    await page.goto(`${server.url}/chat/${agent.id}`)
    const composer = page.getByRole('textbox', { name: 'Message', exact: true })
    // The page takes the focus once it is alive; Enter is heard from then on.
    await expect(composer).toBeFocused()
    await composer.fill('code')
    await composer.press('Enter')
    const answer = page.getByRole('article', { name: 'Answer' }).last()
    await expect(answer.locator('pre')).toBeVisible()
    const seen = await answer.locator('p').first().textContent()
    const { pathname } = new URL(page.url())
    await server.kill()

    const again = await server.restart()
    await page.goto(`${again.url}${pathname}`)
    await expect(page.getByText('The answer was cut off before its end.')).toBeVisible()
    await expect(answer).toContainText(seen ?? '')
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
    await page.getByRole('button', { name: 'Continue' }).click()
    await expect(answer.getByText('Demo model — not an AI')).toBeVisible({ timeout: 30_000 })
    await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeVisible({ timeout: 30_000 })
    await expect(answer).toContainText(seen ?? '')
    await expect(answer).toContainText('not an AI.')
    await expect(page.getByText('The answer was cut off')).toBeHidden()
    await page.getByRole('button', { name: 'Previous version' }).click()
    await expect(page.getByText('The answer was cut off')).toBeVisible()
    await again.stop()
  } finally {
    await server.close()
  }
})
