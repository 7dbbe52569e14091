import fc from 'fast-check'
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import { languageName, languageOf } from '@/components/chat/language-names'
import { Markdown } from '@/components/chat/markdown'
import { growMarkdown, noProgress, parseMarkdown, safeAddress } from '@/components/chat/markdown-blocks'
import { demoCode, demoMarkdown } from '@/lib/providers/demo-texts'

const draw = (text: string, growing = false): string =>
  renderToStaticMarkup(createElement(Markdown, { text, growing }))

describe('an answer on the page', () => {
  it.each([
    '<script>alert(1)</script>',
    'a <img src=x onerror=alert(1)> b',
    '<svg/onload=alert(1)>',
    '<iframe src="https://evil.example"></iframe>',
    '| a |\n| --- |\n| <b onclick=x>y</b> |',
  ])('shows HTML as the text that it is: %s', (text) => {
    expect(draw(text)).not.toMatch(/<(?:script|img|svg|iframe|b)\b/i)
  })

  it('loads no image from elsewhere', () => {
    const html = draw('![a cat](https://evil.example/cat.png?who=me)')
    expect(html).not.toContain('<img')
    expect(html).toContain('rel="noopener noreferrer nofollow"')
    expect(html).toContain('a cat')
  })

  it.each([
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](java\u0001script:alert(1))',
    '[x](data:text/html,<b>)',
    '[x](vbscript:x)',
    '[x](/api/auth/logout)',
    '[x](//evil.example)',
    '<javascript:alert(1)>',
  ])('makes no link of %s', (text) => {
    expect(draw(text)).not.toContain('<a ')
  })

  it('opens real links apart and without a trace', () => {
    expect(draw('[x](https://example.com/?a=1)')).toContain(
      '<a href="https://example.com/?a=1" target="_blank" rel="noopener noreferrer nofollow">x</a>',
    )
    expect(safeAddress('mailto:ada@example.com')).toBe('mailto:ada@example.com')
  })

  it('keeps the words of every address that is no link', () => {
    fc.assert(
      fc.property(fc.webUrl(), (address) => {
        expect(draw(`[words](${address.replace(/^https?/, 'ftp')})`)).toContain('words')
      }),
      { numRuns: 30 },
    )
  })

  it('draws code, tables, lists and tasks as what they are', () => {
    const html = draw(`${demoMarkdown}\n\n${demoCode}`)
    for (const tag of [
      '<table>',
      '<ol start="1">',
      '<blockquote>',
      'type="checkbox"',
      '<pre>',
      '<hr/>',
      '<del>',
    ]) {
      expect(html).toContain(tag)
    }
    expect(html).toContain('TypeScript')
  })

  it('begins its headings below the page’s own', () => {
    expect(draw('# One')).toContain('<h2')
  })
})

describe('an answer that grows', () => {
  /** Draws a text piece by piece and returns how it looks when all of it has arrived. */
  function grow(text: string, step: number) {
    let progress = noProgress
    let drawn = growMarkdown(progress, '')
    for (let length = 0; length < text.length + step; length += step) {
      drawn = growMarkdown(progress, text.slice(0, length))
      progress = drawn.progress
    }
    return drawn.blocks.map(({ token }) => token.type)
  }

  it.each([1, 2, 7, 64])('has the same blocks as the finished one, in steps of %i', (step) => {
    const text = `${demoMarkdown}\n\n${demoCode}`
    expect(grow(text, step)).toEqual(parseMarkdown(text).map(({ token }) => token.type))
  })

  it('touches only its tail: finished blocks stay the same objects', () => {
    const text = demoMarkdown
    const half = growMarkdown(noProgress, text.slice(0, 900))
    const more = growMarkdown(half.progress, text.slice(0, 1000))
    expect(half.progress.settled.length).toBeGreaterThan(3)
    for (const [index, block] of half.progress.settled.entries()) expect(more.blocks[index]).toBe(block)
  })

  it.each([
    ['**bold words that are not clo', '<strong>', '**'],
    ['`code that is not clo', '<code>', '`'],
    ['[a link](https://exam', 'a link', 'https://exam'],
  ])('does not flicker through half-written marks: %s', (text, shown, hidden) => {
    const html = draw(text, true)
    expect(html).toContain(shown)
    expect(html).not.toContain(hidden)
  })

  it('ends with one caret, and none when it is finished', () => {
    for (const text of [
      'A word',
      '- one\n- two\n  - three',
      '```ts\nlet x',
      '| a |\n| --- |\n| b |',
      '> quoted',
    ]) {
      expect(draw(text, true).match(/class="caret"/g)).toHaveLength(1)
      expect(draw(text)).not.toContain('caret')
    }
  })

  it('draws any text without failing, whole or growing', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'#*_`~[]()<>!|-+1. \n\\:&;{}ax'), maxLength: 120 }),
        (text) => {
          draw(text)
          draw(text, true)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('the language of a block of code', () => {
  it.each([
    ['ts title="a.ts"', 'typescript', 'TypeScript'],
    ['C++', 'cpp', 'C++'],
    ['__proto__', '__proto__', '__proto__'],
    [undefined, '', 'Text'],
  ])('%s is %s', (fence, language, name) => {
    expect(languageOf(fence)).toBe(language)
    expect(languageName(language)).toBe(name)
  })
})
