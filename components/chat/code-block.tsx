'use client'

import { Check, Copy } from 'lucide-react'
import { memo, useEffect, useMemo, useRef, useState } from 'react'
import { ScrollRegion } from '@/components/ui/scroll-region'
import { useAlive } from '@/components/ui/use-alive'
import type { ColouredRun } from './highlight'
import { languageName, languageOf } from './language-names'
import { placed } from './placed'
import { useColours } from './use-colours'
import { useCopy } from './use-copy'

/** True from the moment at which the element comes near the screen. */
function useNearScreen(ref: React.RefObject<HTMLElement | null>): boolean {
  const [near, setNear] = useState(false)
  useEffect(() => {
    const element = ref.current
    if (!element) return
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (!entry?.isIntersecting) return
        setNear(true)
        observer.disconnect()
      },
      { rootMargin: '600px' },
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [ref])
  return near
}

type LineProps = { text: string; runs: ColouredRun[] | undefined; last: boolean }

const Line = memo(function Line({ text, runs, last }: LineProps) {
  const end = last ? '' : '\n'
  if (!runs) return text + end
  return (
    <>
      {placed(runs).map(({ place, item }) =>
        item.colour === undefined ? (
          item.text
        ) : (
          <span key={place} style={{ color: item.colour }}>
            {item.text}
          </span>
        ),
      )}
      {end}
    </>
  )
})

type CodeBlockProps = {
  code: string
  fence: string | undefined
  growing: boolean
  caret?: React.ReactNode
  /** Makes of the code what is copied. */
  toCopied?: (code: string) => string
  onCopied?: () => void
}

/** Code with its language and a copy button; colours come later and change no measure. */
export const CodeBlock = memo(function CodeBlock({ code, fence, growing, caret, ...props }: CodeBlockProps) {
  const { toCopied, onCopied } = props
  const language = languageOf(fence)
  const ref = useRef<HTMLDivElement>(null)
  const lines = useMemo(() => code.split('\n'), [code])
  // The last line of a growing block is not whole yet.
  const whole = useMemo(() => (growing ? lines.slice(0, -1) : lines), [lines, growing])
  const coloured = useColours(whole, language, useNearScreen(ref))
  const { copied, copy } = useCopy()
  const isAlive = useAlive()
  return (
    <div ref={ref} className="code-block">
      <div className="flex h-10 items-center justify-between border-line border-b pr-1.5 pl-4">
        <span className="text-ink-soft text-label">{languageName(language)}</span>
        <button
          type="button"
          // A press before the page is alive would be lost.
          disabled={!isAlive}
          onClick={() => {
            copy(toCopied ? toCopied(code) : code)
            onCopied?.()
          }}
          className="inline-flex h-7 items-center gap-1.5 rounded-[6px] px-2 pointer-coarse:min-h-11 text-ink-soft text-label transition-colors hover:bg-ink/6 hover:text-ink"
        >
          {copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
          {copied ? 'Copied' : 'Copy'}
        </button>
      </div>
      <ScrollRegion label={`${languageName(language)} code`} className="overflow-x-auto px-4 py-3.5">
        <pre>
          <code>
            {placed(lines).map(({ place, item }) => (
              <Line key={place} text={item} runs={coloured[place]} last={place === lines.length - 1} />
            ))}
            {caret}
          </code>
        </pre>
      </ScrollRegion>
    </div>
  )
})
