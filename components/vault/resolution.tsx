'use client'

import { useRouter } from 'next/navigation'
import { Section } from '@/components/portal/page'
import { cn } from '@/components/ui/class-names'
import { Select } from '@/components/ui/select'
import type { ResolutionStep } from '@/lib/contracts/credentials'
import { sourceNames } from './credential-words'

type ResolutionProps = {
  steps: ResolutionStep[]
  agents: { id: string; name: string }[]
  /** The agent that the steps were asked for; null for a chat without one. */
  agentId: string | null
}

/** The order in which a key is looked for, as steps; the first that has one serves and is lit. */
export function Resolution({ steps, agents, agentId }: ResolutionProps) {
  const router = useRouter()
  const choices = [
    { value: 'any', label: 'Any chat of yours' },
    ...agents.map(({ id, name }) => ({ value: id, label: name })),
  ]
  return (
    <Section
      title="Which key serves you"
      lead="Looked for in this order. The first one found is used."
      actions={
        agents.length === 0 ? null : (
          <div className="w-56 max-w-full">
            <Select
              aria-label="Show the order for"
              value={agentId ?? 'any'}
              options={choices}
              onChange={(next) =>
                router.replace(next === 'any' ? '/vault' : `/vault?agent=${next}`, { scroll: false })
              }
            />
          </div>
        )
      }
    >
      <ol className="flex max-w-[640px] flex-col pt-1">
        {steps.map((step, place) => (
          <Step key={step.source} step={step} place={place + 1} isLast={place === steps.length - 1} />
        ))}
      </ol>
    </Section>
  )
}

const words: Record<ResolutionStep['status'], string> = {
  serves: 'Serves you',
  available: 'Not reached',
  unasked: 'Not asked',
  empty: 'No key',
  expired: 'Expired',
  failed: 'No answer',
  off: 'Off',
}

function Step({ step, place, isLast }: { step: ResolutionStep; place: number; isLast: boolean }) {
  const { source, status, detail } = step
  const serves = status === 'serves'
  return (
    <li className="relative flex gap-4 pb-5 last:pb-0" aria-current={serves ? 'step' : undefined}>
      {isLast ? null : <span aria-hidden className="absolute top-7 bottom-0 left-3 w-px bg-line" />}
      <span
        aria-hidden
        className={cn(
          'relative flex size-6 shrink-0 items-center justify-center rounded-full font-medium text-label tabular-nums',
          serves ? 'bg-good text-accent-ink' : 'border bg-canvas text-ink-soft',
        )}
      >
        {place}
      </span>
      <div className="flex min-w-0 flex-1 flex-wrap justify-between gap-x-4 pt-0.5">
        <div className="min-w-0">
          <p
            className={cn(
              'text-ui',
              serves ? 'font-semibold' : status === 'available' ? '' : 'text-ink-soft',
            )}
          >
            {sourceNames[source]}
          </p>
          <p className="wrap-anywhere text-ink-soft text-label">{detail}</p>
        </div>
        <span className={cn('text-label', serves ? 'font-medium text-good' : 'text-ink-soft')}>
          {words[status]}
        </span>
      </div>
    </li>
  )
}
