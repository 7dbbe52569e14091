'use client'

import { ArrowUp, Square } from 'lucide-react'
import { type FormEvent, Fragment, type KeyboardEvent, lazy, Suspense, useId, useRef, useState } from 'react'
import '@/components/chat/chat.css'
import { Button } from '@/components/ui/button'
import { FailureNote } from '@/components/ui/failure'
import { controlClasses } from '@/components/ui/field'
import { useAlive } from '@/components/ui/use-alive'
import { inFull } from '@/components/usage/usage-words'
import { sayLength } from './traffic-words'
import { explainTrial } from './trial-words'
import { type Trial, useTrial } from './use-trial'

// Drawn with when there is an answer; the page does not wait for it.
const Markdown = lazy(() =>
  import('@/components/chat/markdown').then(({ Markdown: drawn }) => ({ default: drawn })),
)

type TrialBoxProps = {
  model: string
  /** Reads the key to ask with; without it, the reader asks. */
  readKey?: () => string
}

/** A question to the gateway from the page itself, with its answer and what it took. */
export function TrialBox({ model, readKey }: TrialBoxProps) {
  const { trial, ask, stop } = useTrial()
  return (
    <div className="flex min-w-0 flex-col gap-3">
      <Question
        isRunning={trial?.state === 'running'}
        ask={(text) => void ask({ model, text, readKey })}
        stop={stop}
      />
      {trial ? <Answer trial={trial} /> : null}
    </div>
  )
}

type QuestionProps = { isRunning: boolean; ask: (text: string) => void; stop: () => void }

function Question({ isRunning, ask, stop }: QuestionProps) {
  const id = useId()
  const [text, setText] = useState('Say hello in one sentence.')
  const area = useRef<HTMLTextAreaElement>(null)
  const isAlive = useAlive()

  function send(event: FormEvent) {
    event.preventDefault()
    if (!isRunning && text.trim() !== '') ask(text)
  }
  function press(event: KeyboardEvent<HTMLTextAreaElement>) {
    if (event.nativeEvent.isComposing) return
    if (event.key === 'Enter' && !event.shiftKey) send(event)
    if (event.key !== 'Escape' || !isRunning) return
    // It stops the answer, and closes no window around it.
    event.stopPropagation()
    stop()
  }

  return (
    <form onSubmit={send}>
      <label htmlFor={id} className="sr-only">
        Message
      </label>
      {/* What is typed and sent before the page is alive would be lost. */}
      <fieldset disabled={!isAlive} className="flex min-w-0 items-end gap-2">
        <textarea
          id={id}
          ref={area}
          rows={1}
          maxLength={10_000}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={press}
          placeholder="Message"
          className={`${controlClasses} field-sizing-content max-h-48 min-h-9 pointer-coarse:min-h-11 min-w-0 flex-1 resize-none px-3 py-[7px] pointer-coarse:py-[11px]`}
        />
        {isRunning ? (
          <Button
            // Another element than the other button: else the press that stops would ask again.
            key="stop"
            icon={<Square size={12} aria-hidden fill="currentColor" strokeWidth={0} />}
            onClick={() => {
              stop()
              area.current?.focus()
            }}
          >
            Stop
          </Button>
        ) : (
          <Button
            key="ask"
            type="submit"
            look="primary"
            icon={<ArrowUp size={16} aria-hidden />}
            disabled={text.trim() === ''}
          >
            Ask
          </Button>
        )}
      </fieldset>
    </form>
  )
}

const endWords = { running: 'The answer is coming', done: 'Answered', stopped: 'Stopped', failed: 'Failed' }

function Answer({ trial }: { trial: Trial }) {
  const { state, text, model, failure } = trial
  const isRunning = state === 'running'
  const [why = '', said] = failure ? explainTrial(failure, model) : []
  return (
    <section aria-label="Answer" className="flex min-w-0 flex-col gap-3 pt-1">
      <span role="status" className="sr-only">
        {endWords[state]}
      </span>
      {text === '' && isRunning ? <Pulse /> : null}
      {text === '' ? null : (
        <Suspense fallback={<p className="wrap-anywhere whitespace-pre-wrap text-body">{text}</p>}>
          <Markdown text={text} growing={isRunning} />
        </Suspense>
      )}
      {failure ? (
        <FailureNote
          failure={{
            message: why,
            requestId: failure.requestId ?? trial.requestId,
            retryAfterSeconds: failure.retryAfterSeconds,
          }}
        >
          {said ? <p className="wrap-anywhere text-ink-soft text-label">{said}</p> : null}
        </FailureNote>
      ) : null}
      <Figures trial={trial} />
    </section>
  )
}

function Pulse() {
  return (
    <div className="pulse" role="img" aria-label="The answer is on its way">
      <span />
      <span />
      <span />
    </div>
  )
}

/** What it took, in a line: what is known already while it comes, all of it at the end. */
function Figures({ trial }: { trial: Trial }) {
  const { state, firstTokenMs, durationMs, tokens, requestId, failure } = trial
  const figures = [
    state === 'stopped' ? 'Stopped' : null,
    firstTokenMs === undefined ? null : `First token after ${sayLength(firstTokenMs)}`,
    durationMs === undefined || failure ? null : `${sayLength(durationMs)} in all`,
    tokens ? `${inFull(tokens.input)} tokens in, ${inFull(tokens.output)} out` : null,
  ].filter((figure) => figure !== null)
  if (figures.length === 0 && (failure || !requestId)) return null
  return (
    <div className="flex flex-wrap justify-between gap-x-4 gap-y-1 text-ink-soft text-label tabular-nums">
      <span className="min-h-4">
        {figures.map((figure, place) => (
          <Fragment key={figure}>
            {place === 0 ? null : ' · '}
            <span className="whitespace-nowrap">{figure}</span>
          </Fragment>
        ))}
      </span>
      {failure || !requestId ? null : <span className="break-all normal-nums">Request {requestId}</span>}
    </div>
  )
}
