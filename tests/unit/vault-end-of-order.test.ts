import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { explainResolution, withCredential } from '@/lib/vault'
import { makeActor, openLibrary } from '../support/library'

let close: () => Promise<void>
let ada: Actor

beforeAll(async () => {
  close = await openLibrary()
  ada = await makeActor('ada')
})
afterAll(() => close())

test('with no key anywhere an agent that chooses by itself gets the demo model', async () => {
  const want = { projectId: null, provider: 'auto' as const }
  expect(await withCredential(ada, want, async (key) => key)).toMatchObject({
    provider: 'demo',
    apiKey: null,
  })
  const steps = await explainResolution(ada)
  expect(steps.map(({ status }) => status)).toEqual([
    'off',
    'off',
    'empty',
    'off',
    'empty',
    'empty',
    'serves',
  ])
})

test('with no key anywhere an agent of OpenAI says so, and never answers with the demo model', async () => {
  const want = { projectId: null, provider: 'openai' as const }
  await expect(withCredential(ada, want, async (key) => key)).rejects.toMatchObject({
    code: 'provider_auth',
    message: expect.stringMatching(/^There is no OpenAI key for this agent\. Add one in the vault/),
  })
  const steps = await explainResolution(ada, { provider: 'openai' })
  expect(steps.every(({ status }) => status !== 'serves')).toBe(true)
})
