import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { LimitFields } from '../../components/keys/limit-fields'
import { noLimits } from '../../components/keys/limit-values'
import { CreateKey } from '../../lib/contracts/keys'

test('the form takes every budget that a key can have', () => {
  const props = { limits: noLimits, onChange: () => {}, isOpen: true, onOpenChange: () => {} }
  const form = renderToStaticMarkup(createElement(LimitFields, { ...props, offered: [], failure: undefined }))
  const [budget] = form.match(/<input[^>]*max="999999"[^>]*>/) ?? []
  const least = Number(/min="([^"]+)"/.exec(budget ?? '')?.[1])
  const isTaken = (budget_usd: number) =>
    CreateKey.safeParse({ name: 'a', scopes: ['gateway'], budget_usd }).success
  expect([least, least / 2].map(isTaken)).toEqual([true, false])
  expect(budget).toContain('step="any"')
})
