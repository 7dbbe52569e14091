import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { openAiFiles } from '../../app/api/v1/table'
import { dispatchTo } from '../../lib/http'
import { listRoutes } from '../support/route-files'

const api = resolve(import.meta.dirname, '../../app/api')

const answering = (name: string, methods = ['GET']) =>
  Object.fromEntries(
    methods.map((method) => [
      method,
      async (_: Request, context: { params: Promise<unknown> }) =>
        Response.json([name, await context.params]),
    ]),
  )

const find = dispatchTo({
  '/v1/[[...path]]': answering('nothing'),
  '/v1/things/[id]/parts/[part]': answering('part'),
  '/v1/things/[id]': answering('thing', ['GET', 'DELETE']),
  '/v1/things/[id]/[...rest]': answering('rest'),
  '/v1/things/mine': answering('mine'),
  '/v1/things': answering('things', ['GET', 'POST']),
})

async function say(path: string, method = 'GET'): Promise<unknown> {
  const handle = find(method, path)
  return handle === null ? null : (await handle(new Request('http://localhost/'))).json()
}

test('the table of OpenAI’s paths has every route file there is, and no other', async () => {
  const files = listRoutes().filter((path) => path === '/api/v1' || path.startsWith('/api/v1/'))
  expect(Object.keys(openAiFiles).map((path) => `/api${path}`)).toEqual(expect.arrayContaining(files))
  expect(Object.keys(openAiFiles)).toHaveLength(files.length)
  for (const [path, file] of Object.entries(openAiFiles))
    expect(file, path).toBe(await import(/* @vite-ignore */ resolve(api, `.${path}`, 'route.ts')))
})

test('the closest path answers, whatever the order in the table', async () => {
  expect(await say('/v1/things')).toEqual(['things', {}])
  expect(await say('/v1/things/mine')).toEqual(['mine', {}])
  expect(await say('/v1/things/other')).toEqual(['thing', { id: 'other' }])
  expect(await say('/v1/things/7/parts/8')).toEqual(['part', { id: '7', part: '8' }])
  expect(await say('/v1/things/7/parts')).toEqual(['rest', { id: '7', rest: ['parts'] }])
  expect(await say('/v1/things/7/parts/8/9')).toEqual(['rest', { id: '7', rest: ['parts', '8', '9'] }])
  expect(await say('/v1/other/7')).toEqual(['nothing', { path: ['other', '7'] }])
  expect(await say('/v1')).toEqual(['nothing', {}])
})

test('a method is the file’s own, and HEAD is answered by GET', async () => {
  expect(await say('/v1/things', 'POST')).toEqual(['things', {}])
  expect(await say('/v1/things/7', 'DELETE')).toEqual(['thing', { id: '7' }])
  expect(await say('/v1/things', 'HEAD')).toEqual(['things', {}])
  expect(await say('/v1/things/7', 'POST')).toBeNull()
  expect(await say('/v1/things', 'OPTIONS')).toBeNull()
  expect(await say('/v1/things', 'toString')).toBeNull()
})

test.each([
  '/v1/things/',
  '/v1//things',
  '/v1/./things',
  '/v1/x/../things',
  '/v1/things/%6dine',
  '/v1/things/a b',
  '/v1/things/a\\b',
  '/v1/things/a;b',
  '/v1/things/ä',
  '/V1/things',
  '/other',
  'v1/things',
  '',
])('what Next would make another path of is left to Next: %j', async (path) => {
  expect(await say(path)).toBeNull()
})
