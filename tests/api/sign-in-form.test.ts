import { afterAll, beforeAll, expect, test } from 'vitest'
import { password, signUp } from '../support/client'
import { startServer, type TestServer } from '../support/server'

// The form as a browser without JavaScript posts it, behind a proxy that puts its own name into Host.
const publicUrl = 'https://chat.example.com'
let server: TestServer
let email: string

beforeAll(async () => {
  server = await startServer({ APP_URL: publicUrl })
  email = (await signUp(server.url)).email
})
afterAll(() => server.close())

async function postForm(secret: string, headers: Record<string, string>): Promise<Response> {
  const html = await (await fetch(`${server.url}/login`)).text()
  const form = new FormData()
  for (const [, name = '', value = ''] of html.matchAll(
    /<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?/g,
  )) {
    form.set(name, value.replaceAll('&quot;', '"').replaceAll('&amp;', '&'))
  }
  form.set('email', email)
  form.set('password', secret)
  return fetch(`${server.url}/login`, { method: 'POST', body: form, headers, redirect: 'manual' })
}

test('the form signs in from the public address, with a cookie for https alone', async () => {
  const answer = await postForm(password, { origin: publicUrl })
  expect(answer.status).toBe(303)
  expect(answer.headers.get('location')).toContain('/dashboard')
  expect(answer.headers.get('set-cookie')).toMatch(/^__Host-al_session=.*Secure/i)
})

test('a wrong password gets the form again, with the reason and the email', async () => {
  const answer = await postForm('wrong', { origin: publicUrl })
  const html = await answer.text()
  expect(html).toContain('Email or password is wrong.')
  expect(html).toContain(email)
  expect(html).not.toContain('value="wrong"')
  expect(answer.headers.get('set-cookie')).toBeNull()
})

test('another site cannot post the form, whatever it claims to be', async () => {
  const claims: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' },
    { origin: 'null' },
  ]
  for (const headers of claims) {
    const answer = await postForm(password, headers)
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.headers.get('set-cookie')).toBeNull()
  }
})
