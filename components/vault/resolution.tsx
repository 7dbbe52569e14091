'use client'

import { useRouter } from 'next/navigation'
import { Section } from '@/components/portal/page'
import { cn } from '@/components/ui/class-names'
import { Select } from '@/components/ui/select'
import type { ResolutionStep } from '@/lib/contracts/credentials'
import { sayStep, sourceNames } from './credential-words'

type Choice = { id: string; name: string }

type ResolutionProps = {
  /** Null where this person cannot use this agent. */
  steps: ResolutionStep[] | null
  agents: Choice[]
  /** The agent that the steps were asked for; null for a chat without one. */
  agentId: string | null
  /** Whose search it may be: for an admin everyone; nobody else is offered to others. */
  people: Choice[]
  /** Whose search it is; null for the reader’s own. */
  person: Choice | null
}

const own = 'own'

/** The order in which a key is looked for, as steps; the first that has one serves and is lit. */
export function Resolution({ steps, agents, agentId, people, person }: ResolutionProps) {
  const router = useRouter()
  const whom = person ? person.name : 'you'
  function show(agent: string, personId: string) {
    const query = new URLSearchParams()
    if (agent !== own) query.set('agent', agent)
    if (personId !== own) query.set('person', personId)
    router.replace(query.size === 0 ? '/vault' : `/vault?${query}`, { scroll: false })
  }
  return (
    <Section
      title={`Which key serves ${whom}`}
      lead="Looked for in this order. The first one found is used."
      actions={
        <div className="flex max-w-full flex-wrap gap-2">
          {people.length === 0 ? null : (
            <Select
              aria-label="For whom"
              className="w-48 max-w-full"
              value={person?.id ?? own}
              options={[{ value: own, label: 'You' }, ...toOptions(people)]}
              onChange={(next) => show(agentId ?? own, next)}
            />
          )}
          {agents.length === 0 ? null : (
            <Select
              aria-label="Show the order for"
              className="w-48 max-w-full"
              value={agentId ?? own}
              options={[{ value: own, label: 'A chat without agent' }, ...toOptions(agents)]}
              onChange={(next) => show(next, person?.id ?? own)}
            />
          )}
        </div>
      }
    >
      {steps === null ? (
        <p className="border-t py-4 text-ink-soft text-ui">
          This agent is not shared with {whom}, so no key is looked for.
        </p>
      ) : (
        <ol className="flex max-w-[640px] flex-col pt-1">
          {steps.map((step, place) => (
            <Step
              key={step.source}
              step={step}
              place={place + 1}
              isLast={place === steps.length - 1}
              isOther={person !== null}
            />
          ))}
        </ol>
      )}
    </Section>
  )
}

const toOptions = (choices: Choice[]) => choices.map(({ id, name }) => ({ value: id, label: name }))

const words: Record<ResolutionStep['status'], string> = {
  serves: 'Serves',
  available: 'Not reached',
  unasked: 'Not asked',
  empty: 'No key',
  expired: 'Ended',
  failed: 'No answer',
  off: 'Off',
}

const otherNames: Partial<Record<ResolutionStep['source'], string>> = {
  papita_user: 'Their key in Papita',
  user: 'Their own keys',
}

type StepProps = { step: ResolutionStep; place: number; isLast: boolean; isOther: boolean }

function Step({ step, place, isLast, isOther }: StepProps) {
  const { source, status } = step
  const serves = status === 'serves'
  const isWrong = status === 'failed' || status === 'expired' || step.failure !== undefined
  const name = (isOther && otherNames[source]) || sourceNames[source]
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
      <div className="flex min-w-0 flex-1 justify-between gap-x-4 pt-0.5">
        <div className="min-w-0">
          <p
            className={cn(
              'text-ui',
              serves ? 'font-semibold' : status === 'available' || isWrong ? '' : 'text-ink-soft',
            )}
          >
            {name}
          </p>
          <p className="wrap-anywhere text-ink-soft text-label">{sayStep(step)}</p>
        </div>
        <span
          className={cn(
            'shrink-0 pt-0.5 text-label',
            isWrong ? 'font-medium text-warn' : serves ? 'font-medium text-good' : 'text-ink-soft',
          )}
        >
          {words[status]}
        </span>
      </div>
    </li>
  )
}
