'use client'

import { CircleAlert, Play, RotateCcw } from 'lucide-react'
import type { ReactNode } from 'react'
import type { EarlyFinish, MessageRecord, ReplyError } from '@/lib/contracts/conversations'
import { Button } from '../ui/button'
import { LinkButton } from '../ui/link-button'
import type { ChatDeeds } from './chat-deeds'

type StatusProps = { message: MessageRecord; deeds: ChatDeeds; settingsHref: string }

const remedies: Record<Exclude<ReplyError['remedy'], 'retry'>, string> = {
  vault: 'Open the vault',
  settings: 'Open the agent’s settings',
}

/** Picks up an answer that broke off after its first words. */
function Continue({ message, deeds }: Pick<StatusProps, 'message' | 'deeds'>) {
  return (
    <Button
      size="small"
      className="when-idle"
      look="secondary"
      icon={<Play size={14} aria-hidden />}
      onClick={() => deeds.continueAnswer(message.id)}
    >
      Continue
    </Button>
  )
}

function TryAgain({
  message,
  deeds,
  look,
}: Pick<StatusProps, 'message' | 'deeds'> & { look: 'secondary' | 'ghost' }) {
  return (
    <Button
      size="small"
      className="when-idle"
      look={look}
      icon={<RotateCcw size={14} aria-hidden />}
      onClick={() => deeds.regenerate(message.id)}
    >
      Try again
    </Button>
  )
}

function Remedy({ message, deeds, settingsHref }: StatusProps) {
  const remedy = message.error?.remedy ?? 'retry'
  if (remedy === 'retry' && message.text !== '') {
    return (
      <div className="flex flex-wrap items-center gap-2">
        <Continue message={message} deeds={deeds} />
        <TryAgain message={message} deeds={deeds} look="ghost" />
      </div>
    )
  }
  if (remedy === 'retry') return <TryAgain message={message} deeds={deeds} look="secondary" />
  return (
    <>
      <LinkButton size="small" href={remedy === 'vault' ? '/vault' : settingsHref}>
        {remedies[remedy]}
      </LinkButton>
      <TryAgain message={message} deeds={deeds} look="ghost" />
    </>
  )
}

function Notice({ tone, children }: { tone: 'bad' | 'quiet'; children: ReactNode }) {
  const colours = tone === 'bad' ? 'bg-bad/8' : 'bg-surface'
  return <div className={`mt-3 flex gap-3 rounded-panel px-4 py-3 text-ui ${colours}`}>{children}</div>
}

const earlyEnds: Record<EarlyFinish, string> = {
  length: 'The answer ends here because it reached the length that the agent or its model allows.',
  content_filter: 'The provider’s filter ended the answer here.',
  refusal: 'The model declined to answer this.',
  tool: 'The model asked for a tool that AL-Chat cannot run.',
}

function EarlyEnd({ finish, ...props }: StatusProps & { finish: EarlyFinish }) {
  return (
    <Notice tone="quiet">
      <div className="flex min-w-0 flex-1 flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <p>{earlyEnds[finish]}</p>
        {finish === 'length' ? (
          <div className="flex flex-wrap items-center gap-2">
            <Continue {...props} />
            <LinkButton size="small" look="ghost" href={props.settingsHref}>
              {remedies.settings}
            </LinkButton>
          </div>
        ) : null}
      </div>
    </Notice>
  )
}

/** How an answer ended when it did not end by itself: what happened, what is kept, what to do. */
export function AnswerStatus(props: StatusProps) {
  const { message } = props
  if (message.status === 'stopped') {
    return (
      <div className="mt-2 flex min-h-8 flex-wrap items-center gap-x-3 text-ink-soft text-ui">
        <p>{message.text ? 'Stopped' : 'Stopped before the first word'}</p>
        {message.text ? <Continue message={message} deeds={props.deeds} /> : null}
      </div>
    )
  }
  if (message.finish) return <EarlyEnd finish={message.finish} {...props} />
  // Some errors of the server say so themselves.
  const isSaid = message.text === '' || /\bkept\b/.test(message.error?.message ?? '')
  const keeps = isSaid ? null : 'What had arrived is kept.'
  if (message.status === 'interrupted') {
    return (
      <Notice tone="quiet">
        <div className="flex min-w-0 flex-1 flex-wrap items-center justify-between gap-x-4 gap-y-2">
          <p>The answer was cut off before its end. {keeps}</p>
          <Remedy {...props} />
        </div>
      </Notice>
    )
  }
  if (message.status !== 'failed') return null
  return (
    <Notice tone="bad">
      <CircleAlert size={16} aria-hidden className="mt-0.5 shrink-0 text-bad" />
      <div className="min-w-0 flex-1">
        <p className="wrap-anywhere">
          {message.error?.message ?? 'The answer failed, and the server did not say why.'} {keeps}
        </p>
        <div className="mt-3 flex flex-wrap items-center gap-2">
          <Remedy {...props} />
        </div>
        {message.error?.request_id ? (
          <p className="mt-2 break-all text-ink-soft text-label">Request {message.error.request_id}</p>
        ) : null}
      </div>
    </Notice>
  )
}
