'use client'

import { ChevronRight } from 'lucide-react'
import { lazy, Suspense, useCallback, useSyncExternalStore } from 'react'
import { AnswerStatus } from './answer-status'
import type { ChatDeeds } from './chat-deeds'
import { type LiveReply, type LiveText, reasoningOf } from './live-text'
import { TurnActions } from './turn-actions'
import type { Turn } from './turns'

// Half of this page's code; an empty chat does not wait for it. The server has it at hand and draws with it.
const loadMarkdown = () => import('./markdown').then(({ Markdown }) => ({ default: Markdown }))
const Markdown = lazy(loadMarkdown)

/** Fetches what draws answers, before there is one. */
export function prepareAnswers(): void {
  // A fetch that fails now is tried again when an answer is drawn.
  loadMarkdown().catch(() => {})
}

type AnswerProps = {
  turn: Turn
  live: LiveText
  deeds: ChatDeeds
  settingsHref: string
  /** True when the agent always answers from the demo model, so that the label need not wait for the end. */
  isDemo: boolean
}

const nothing: LiveReply = { text: '', reasoning: '' }

function useLive(live: LiveText, messageId: string): LiveReply {
  const subscribe = useCallback(
    (onChange: () => void) => live.subscribe(messageId, onChange),
    [live, messageId],
  )
  return useSyncExternalStore(
    subscribe,
    () => live.get(messageId),
    () => nothing,
  )
}

/** Three dots in the place where the first word will stand. */
export function Pulse() {
  return (
    <div className="pulse" role="img" aria-label="The answer is on its way">
      <span />
      <span />
      <span />
    </div>
  )
}

function Reasoning({ text, going }: { text: string; going: boolean }) {
  if (text === '') return null
  return (
    <details className="group mb-3">
      <summary className="inline-flex list-none items-center gap-1 rounded-control py-1 pr-2 pointer-coarse:min-h-11 text-ink-soft text-ui hover:text-ink [&::-webkit-details-marker]:hidden">
        <ChevronRight size={16} aria-hidden className="transition-transform group-open:rotate-90" />
        {going ? 'Thinking…' : 'How it thought'}
      </summary>
      <div className="mt-1 ml-2 border-line border-l pl-4 text-ink-soft text-ui">
        <p className="wrap-anywhere whitespace-pre-wrap">{text.trim()}</p>
      </div>
    </details>
  )
}

/** Always in sight where a script answers. */
function DemoLabel() {
  return (
    <span className="rounded-[6px] bg-warn/10 px-2 py-1 font-medium text-label text-warn">
      Demo model — not an AI
    </span>
  )
}

function Foot({ turn, deeds, isDemo }: Pick<AnswerProps, 'turn' | 'deeds' | 'isDemo'>) {
  const { provider, model, status } = turn.message
  const demo = provider === 'demo' || (isDemo && provider === undefined)
  const over = status !== 'running'
  return (
    // The line is there from the start, so that the end of an answer moves nothing.
    <div className="mt-2 flex min-h-8 pointer-coarse:min-h-11 flex-wrap items-center gap-x-2">
      {demo ? <DemoLabel /> : null}
      {over ? (
        <div className={demo ? undefined : '-ml-2'}>
          <TurnActions turn={turn} deeds={deeds} />
        </div>
      ) : null}
      {over && !demo && model ? (
        <span className="turn-actions truncate text-ink-soft text-label">{model}</span>
      ) : null}
    </div>
  )
}

/** An answer: it stands on the page itself, grows without jumping, and says how it ended. */
export function Answer({ turn, live, deeds, settingsHref, isDemo }: AnswerProps) {
  const { message, connected } = turn
  const running = message.status === 'running'
  const arrived = useLive(live, message.id)
  const text = running ? arrived.text || message.text : message.text
  const reasoning = running ? arrived.reasoning : reasoningOf(message.parts)
  return (
    <article aria-label="Answer" aria-busy={running} className="turn" data-last={turn.isLast || undefined}>
      <Reasoning text={reasoning} going={running && text === ''} />
      {text === '' && running && reasoning === '' ? <Pulse /> : null}
      {text === '' ? null : (
        <Suspense fallback={<p className="prose whitespace-pre-wrap">{text}</p>}>
          <Markdown text={text} growing={running} />
        </Suspense>
      )}
      {running && !connected ? (
        <p className="late mt-2 text-ink-soft text-ui">
          Reconnecting. Nothing is lost; the answer goes on by itself.
        </p>
      ) : null}
      <AnswerStatus message={message} deeds={deeds} settingsHref={settingsHref} />
      <Foot turn={turn} deeds={deeds} isDemo={isDemo} />
    </article>
  )
}
