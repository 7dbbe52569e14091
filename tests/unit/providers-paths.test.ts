import { expect, test } from 'vitest'
import { pathOfResponse } from '../../lib/providers/bookmark'

test.each([
  ['../files', null],
  ['..', null],
  ['.', null],
  ['resp_1/../../files', null],
  ['resp_1/cancel', null],
  ['resp_1?stream=false', null],
  ['resp_1#', null],
  ['//evil.example/v1', null],
  ['\\\\evil.example', null],
  ['@evil.example', null],
  [':80', null],
  ['%2e%2e%2ffiles', null],
  ['resp_1\r\nHost: evil.example', null],
  ['resp_1\u0000', null],
  ['ｒｅｓｐ', null],
  ['resp_é', null],
  ['', null],
  ['a'.repeat(201), null],
  ['resp_0a-B9', '/responses/resp_0a-B9'],
])('the id of an answer, %j, leads to %j', (id, path) => {
  expect(pathOfResponse(id)).toBe(path)
  if (path === null) return
  const url = new URL(`https://api.openai.com/v1${path}?stream=true`)
  expect(url.origin + url.pathname).toBe(`https://api.openai.com/v1${path}`)
})
