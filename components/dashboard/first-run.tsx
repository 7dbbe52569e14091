'use client'

import { Check } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { Button } from '@/components/ui/button'
import { cn } from '@/components/ui/class-names'
import { LinkButton } from '@/components/ui/link-button'

type FirstRunProps = {
  hasKey: boolean
  hasAgent: boolean
  /** Where an agent is made: in the first project, or where projects are made. */
  agentHref: string
  chatHref: string
}

/** The way to a first answer in three steps. It is drawn until a conversation has been had, then never again. */
export function FirstRun({ hasKey, hasAgent, agentHref, chatHref }: FirstRunProps) {
  const [keepsDemo, setKeepsDemo] = useState(false)
  const keyDone = hasKey || keepsDemo || hasAgent
  const steps = [
    {
      title: 'Choose what answers',
      words: hasKey
        ? 'A key is in the vault.'
        : 'Add a key of OpenAI, or keep the demo model to look around.',
      done: keyDone,
      actions: (
        <>
          <LinkButton href="/vault" look="primary">
            Add key
          </LinkButton>
          <Button look="ghost" onClick={() => setKeepsDemo(true)}>
            Keep the demo
          </Button>
        </>
      ),
    },
    {
      title: 'Make a project and an agent',
      words: 'A project holds agents; an agent is a model with instructions of yours.',
      done: hasAgent,
      actions: (
        <LinkButton href={agentHref} look="primary">
          {agentHref === '/projects' ? 'Create project' : 'Create agent'}
        </LinkButton>
      ),
    },
    {
      title: 'Send the first message',
      words: 'The answer streams in, and stays.',
      done: false,
      actions: (
        <LinkButton href={chatHref} look="primary">
          Start chat
        </LinkButton>
      ),
    },
  ]
  const current = steps.findIndex(({ done }) => !done)
  return (
    <section aria-label="First steps" className="rounded-panel border bg-surface p-5 sm:p-6">
      <h2 className="font-semibold text-ui">From here to a first answer</h2>
      <ol className="grid gap-x-6 gap-y-5 pt-4 md:grid-cols-3">
        {steps.map((step, place) => (
          <Step key={step.title} place={place} isCurrent={place === current} {...step} />
        ))}
      </ol>
    </section>
  )
}

type StepProps = {
  place: number
  isCurrent: boolean
  title: string
  words: string
  done: boolean
  actions: ReactNode
}

function Step({ place, isCurrent, title, words, done, actions }: StepProps) {
  return (
    <li aria-current={isCurrent ? 'step' : undefined} className="flex gap-3">
      <span
        aria-hidden
        className={cn(
          'flex size-6 shrink-0 items-center justify-center rounded-full border font-medium text-label',
          isCurrent ? 'border-ink bg-ink text-canvas' : 'text-ink-soft',
        )}
      >
        {done ? <Check size={14} /> : place + 1}
      </span>
      <div className="flex min-w-0 flex-col gap-1 pt-0.5">
        <h3 className={cn('font-medium text-ui', done && 'text-ink-soft')}>
          {title}
          {done ? <span className="sr-only"> (done)</span> : null}
        </h3>
        <p className="text-ink-soft text-ui">{words}</p>
        {isCurrent ? <div className="flex flex-wrap gap-2 pt-2">{actions}</div> : null}
      </div>
    </li>
  )
}
