import { runInNewContext } from 'node:vm'
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { EarlyKeys } from '../../components/portal/early-keys'
import { type Asked, pressKey } from '../../components/portal/shell-keys'

/** Something on the page that stands in `places`. */
class Place {
  readonly places: string[]
  constructor(places: string[] = []) {
    this.places = places
  }
  closest(selector: string): Place | null {
    return selector.split(', ').some((part) => this.places.includes(part)) ? this : null
  }
}
const field = new Place(['textarea'])
const palette = new Place(['input', '[role=dialog]'])

/** `Ctrl+k`, `Meta+Shift+O`, `v`: what the browser tells of such a press, and what became of it. */
function keydown(keys: string, target = new Place(), more: Partial<KeyboardEvent> = {}) {
  const parts = keys.split('+')
  const done: string[] = []
  const event = {
    key: parts.at(-1),
    ctrlKey: parts.includes('Ctrl'),
    metaKey: parts.includes('Meta'),
    shiftKey: parts.includes('Shift'),
    altKey: parts.includes('Alt'),
    target,
    preventDefault: () => done.push('prevented'),
    stopPropagation: () => done.push('kept'),
    ...more,
  }
  return { event: event as unknown as KeyboardEvent, done }
}

const nothing: Asked = { what: null, typed: '' }
const wanted = (typed = ''): Asked => ({ what: 'palette', typed })

/** What is asked for after the keys, and what became of the last one. */
function press(keys: string[], target?: Place, from = nothing): [Asked, string[]] {
  let asked = from
  let done: string[] = []
  for (const key of keys) {
    const made = keydown(key, target)
    asked = pressKey(asked, made.event) ?? asked
    done = made.done
  }
  return [asked, done]
}

beforeEach(() => {
  vi.stubGlobal('Element', Place)
})
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('the shell’s keys', () => {
  test.each([
    ['Ctrl+k', 'palette'],
    ['Meta+K', 'palette'],
    ['Ctrl+Shift+O', 'new-chat'],
    ['Meta+Shift+o', 'new-chat'],
    ['Shift+?', 'shortcuts'],
  ])('%s asks for %s', (keys, what) => {
    expect(press([keys])).toEqual([{ what, typed: '' }, ['prevented']])
  })

  test.each(['k', 'Ctrl+Shift+k', 'Ctrl+Alt+k', 'Ctrl+o', 'Ctrl+?', 'Ctrl+r', 'n', 'Enter', 'Escape'])(
    '%s is left to the page',
    (keys) => {
      expect(press([keys])).toEqual([nothing, []])
    },
  )

  test('the question mark is a letter where something is written; the others hold there, too', () => {
    expect(press(['?'], field)).toEqual([nothing, []])
    expect(press(['Ctrl+k'], field)[0].what).toBe('palette')
  })

  test('the same keys again take it back, except from a chat that is on its way', () => {
    expect(press(['Ctrl+k', 'Ctrl+k'])[0]).toEqual(nothing)
    expect(press(['Ctrl+k', 'Ctrl+Shift+O'])[0].what).toBe('new-chat')
    expect(press(['Ctrl+Shift+O', 'Ctrl+Shift+O'])[0].what).toBe('new-chat')
  })

  test('keys that are held down, or compose a letter, ask for nothing more', () => {
    const held = keydown('Ctrl+k', field, { repeat: true })
    expect(pressKey(wanted(), held.event)).toEqual(wanted())
    expect(held.done).toEqual(['prevented'])
    expect(pressKey(wanted(), keydown('n', field, { isComposing: true }).event)).toBeNull()
  })
})

describe('while the palette is on its way', () => {
  const kept = ['prevented', 'kept']

  test('what is typed is for it, and nobody else hears it', () => {
    expect(press(['V', 'a', ' ', '?'], field, wanted())).toEqual([wanted('Va ?'), kept])
    expect(press(['Backspace', 'Backspace'], field, wanted('V'))).toEqual([wanted(), kept])
    expect(press(['Enter'], field, wanted('V'))).toEqual([wanted('V'), kept])
    expect(press(['Escape'], field, wanted('V'))).toEqual([nothing, kept])
  })

  test('other keys do what they always do', () => {
    for (const keys of ['Tab', 'F5', 'ArrowDown', 'Dead', 'Ctrl+c', 'Alt+d'])
      expect(press([keys], field, wanted('V'))).toEqual([wanted('V'), []])
  })

  test('once it has the focus, it takes its keys itself', () => {
    for (const keys of ['V', 'Enter', 'Escape', 'Backspace'])
      expect(press([keys], palette, wanted())).toEqual([wanted(), []])
    expect(press(['Ctrl+k'], palette, wanted('V'))[0]).toEqual(nothing)
  })
})

test('what the server writes into the page hears the same by itself, until it is released', () => {
  type Listener = (event: KeyboardEvent) => void
  const heard = new Set<Listener>()
  const window = {
    addEventListener: (_: 'keydown', listen: Listener) => heard.add(listen),
    removeEventListener: (_: 'keydown', listen: Listener) => heard.delete(listen),
    earlyKeys: undefined as { asked: Asked; release: () => void } | undefined,
  }
  const [, script = ''] =
    renderToStaticMarkup(createElement(EarlyKeys)).match(/<script>(.*)<\/script>/s) ?? []
  runInNewContext(script, { window, Element: Place })
  for (const keys of ['n', 'Ctrl+k', 'V', 'a']) for (const listen of heard) listen(keydown(keys, field).event)
  expect(window.earlyKeys?.asked).toEqual(wanted('Va'))
  window.earlyKeys?.release()
  expect(heard.size).toBe(0)
})
