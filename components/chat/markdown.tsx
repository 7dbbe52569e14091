'use client'

import { createElement, Fragment, memo, type ReactNode, useMemo, useRef } from 'react'
import { ScrollRegion } from '@/components/ui/scroll-region'
import { CodeBlock } from './code-block'
import {
  growMarkdown,
  type MarkdownProgress,
  noProgress,
  parseMarkdown,
  safeAddress,
  type Token,
  type Tokens,
} from './markdown-blocks'
import { placed } from './placed'

/** `growing`: this token is at the end of a text that still arrives, and ends with the caret. */
type Drawn = { growing: boolean }

const caret = <span aria-hidden className="caret" />

function drawLink(token: Tokens.Link): ReactNode {
  const address = safeAddress(token.href)
  const words = drawInline(token.tokens, false)
  if (!address) return words
  return (
    <a href={address} target="_blank" rel="noopener noreferrer nofollow" title={token.title ?? undefined}>
      {words}
    </a>
  )
}

// An image from elsewhere would tell its host who reads this; it becomes a link.
function drawImage(token: Tokens.Image): ReactNode {
  const address = safeAddress(token.href)
  const words = token.text || 'Image'
  if (!address) return words
  return (
    <a href={address} target="_blank" rel="noopener noreferrer nofollow">
      {words}
    </a>
  )
}

function drawSpan(token: Token): ReactNode {
  switch (token.type) {
    case 'strong':
    case 'em':
    case 'del':
      return createElement(token.type, null, drawInline(token.tokens ?? [], false))
    case 'codespan':
      return <code>{(token as Tokens.Codespan).text}</code>
    case 'link':
      return drawLink(token as Tokens.Link)
    case 'image':
      return drawImage(token as Tokens.Image)
    case 'br':
      return <br />
    case 'html':
      return /^<br\s*\/?>$/i.test(token.raw.trim()) ? <br /> : token.raw
    case 'checkbox':
      return (
        <input
          type="checkbox"
          disabled
          checked={(token as Tokens.Checkbox).checked}
          aria-label="Done"
          readOnly
        />
      )
    case 'text':
      return token.tokens ? drawInline(token.tokens, false) : (token as Tokens.Text).text
    default:
      return 'text' in token ? String(token.text) : token.raw
  }
}

/** Words and what stands among them; the caret follows the last one of a growing text. */
function drawInline(tokens: readonly Token[], growing: boolean): ReactNode {
  return (
    <>
      {placed(tokens).map(({ place, item }) => (
        <Fragment key={place}>{drawSpan(item)}</Fragment>
      ))}
      {growing ? caret : null}
    </>
  )
}

const isBlock = (token: Token): boolean =>
  ['paragraph', 'list', 'code', 'blockquote', 'heading', 'hr', 'table'].includes(token.type) ||
  (token.type === 'html' && (token as Tokens.HTML).block)

/** What a list item or quotation holds: blocks, or words without a paragraph around them. */
function drawFlow(tokens: readonly Token[], growing: boolean): ReactNode {
  const shown = tokens.filter(({ type }) => type !== 'space' && type !== 'def')
  if (shown.length === 0) return growing ? caret : null
  return placed(shown).map(({ place, item }) => {
    const end = growing && place === shown.length - 1
    if (isBlock(item)) return <Block key={place} token={item} growing={end} />
    return (
      <Fragment key={place}>
        {drawSpan(item)}
        {end ? caret : null}
      </Fragment>
    )
  })
}

const ListItem = memo(
  function ListItem({ item, growing }: { item: Tokens.ListItem } & Drawn) {
    return <li data-task={item.task || undefined}>{drawFlow(item.tokens, growing)}</li>
  },
  (before, after) => before.growing === after.growing && before.item.raw === after.item.raw,
)

function List({ token, growing }: { token: Tokens.List } & Drawn) {
  const items = placed(token.items).map(({ place, item }) => (
    <ListItem key={place} item={item} growing={growing && place === token.items.length - 1} />
  ))
  return token.ordered ? <ol start={token.start === '' ? 1 : token.start}>{items}</ol> : <ul>{items}</ul>
}

const Row = memo(
  function Row({ cells, growing }: { cells: Tokens.TableCell[]; raw: string } & Drawn) {
    return (
      <tr>
        {placed(cells).map(({ place, item }) => (
          <td key={place} style={item.align ? { textAlign: item.align } : undefined}>
            {drawInline(item.tokens, growing && place === cells.length - 1)}
          </td>
        ))}
      </tr>
    )
  },
  (before, after) => before.growing === after.growing && before.raw === after.raw,
)

function Table({ token, growing }: { token: Tokens.Table } & Drawn) {
  return (
    <ScrollRegion label="Table" className="table-scroll">
      <table>
        <thead>
          <tr>
            {placed(token.header).map(({ place, item }) => (
              <th key={place} style={item.align ? { textAlign: item.align } : undefined}>
                {drawInline(item.tokens, false)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {placed(token.rows).map(({ place, item }) => (
            <Row
              key={place}
              cells={item}
              raw={item.map(({ text }) => text).join('|')}
              growing={growing && place === token.rows.length - 1}
            />
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  )
}

// A heading in an answer stands below the page's own.
const headingOf = (depth: number): string => `h${Math.min(depth + 1, 6)}`

function drawBlock(token: Token, growing: boolean): ReactNode {
  switch (token.type) {
    case 'heading': {
      const { depth, tokens } = token as Tokens.Heading
      return createElement(headingOf(depth), { 'data-depth': depth }, drawInline(tokens, growing))
    }
    case 'code': {
      const { text, lang } = token as Tokens.Code
      return <CodeBlock code={text} fence={lang} growing={growing} caret={growing ? caret : null} />
    }
    case 'list':
      return <List token={token as Tokens.List} growing={growing} />
    case 'table':
      return <Table token={token as Tokens.Table} growing={growing} />
    case 'blockquote':
      return <blockquote>{drawFlow(token.tokens ?? [], growing)}</blockquote>
    case 'hr':
      return <hr />
    case 'html':
      return (
        <p>
          {token.raw.trim()}
          {growing ? caret : null}
        </p>
      )
    default:
      return <p>{drawInline('tokens' in token && token.tokens ? token.tokens : [token], growing)}</p>
  }
}

/** One block. It is drawn again only when its own source changed. */
const Block = memo(
  function Block({ token, growing }: { token: Token } & Drawn) {
    return drawBlock(token, growing)
  },
  (before, after) =>
    before.growing === after.growing &&
    before.token.type === after.token.type &&
    before.token.raw === after.token.raw,
)

/**
 * An answer's Markdown as elements: never HTML from the text, never an image from elsewhere.
 * With `growing` the text still arrives; finished blocks are then not touched again.
 */
export const Markdown = memo(function Markdown({ text, growing }: { text: string } & Drawn) {
  const progress = useRef<MarkdownProgress>(noProgress)
  const blocks = useMemo(() => {
    if (!growing) return parseMarkdown(text)
    const grown = growMarkdown(progress.current, text)
    progress.current = grown.progress
    return grown.blocks
  }, [text, growing])
  return (
    <div className="prose">
      {blocks.map(({ key, token }, index) => (
        <Block key={key} token={token} growing={growing && index === blocks.length - 1} />
      ))}
    </div>
  )
})
