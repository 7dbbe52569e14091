'use client'

import { ChevronRight } from 'lucide-react'
import { useId } from 'react'
import { cn } from '@/components/ui/class-names'
import { Field, Input, TextField } from '@/components/ui/field'
import type { RequestError } from '@/components/ui/request'
import { Select } from '@/components/ui/select'
import { Switch } from '@/components/ui/switch'
import type { BudgetPeriod } from '@/lib/contracts/keys'
import { type Limits, sayLimits } from './limit-values'
import { type ModelChoice, ModelPicker } from './model-picker'
import { periodWords, sayTime } from './policy-words'
import { useModels } from './use-models'

type LimitFieldsProps = {
  limits: Limits
  onChange: (limits: Limits) => void
  isOpen: boolean
  onOpenChange: (isOpen: boolean) => void
  /** Models and agents that are known of already. */
  offered: readonly ModelChoice[]
  failure: RequestError | undefined
}

const noneWords = 'Without any, it may call every model, as often as you may.'

/** What a key may do in the gateway at most. Folded, it says in a line what is set. */
export function LimitFields({ isOpen, onOpenChange, ...rest }: LimitFieldsProps) {
  const id = useId()
  const words = sayLimits(rest.limits)
  return (
    <section aria-label="Limits" className="rounded-control border">
      <h3>
        <button
          type="button"
          aria-expanded={isOpen}
          aria-controls={isOpen ? id : undefined}
          aria-describedby={`${id}-words`}
          onClick={() => onOpenChange(!isOpen)}
          className="flex min-h-11 w-full items-start gap-2 rounded-control px-3 py-2.5 text-left hover:bg-ink/3"
        >
          <ChevronRight
            size={16}
            aria-hidden
            className={cn('mt-0.5 shrink-0 text-ink-soft transition-transform', isOpen && 'rotate-90')}
          />
          <span className="flex min-w-0 flex-col">
            <span className="font-medium text-ui">Limits</span>
            <span id={`${id}-words`} className="wrap-anywhere text-wrap text-ink-soft text-label">
              {isOpen || words.length === 0 ? noneWords : words.join(' · ')}
            </span>
          </span>
        </button>
      </h3>
      {isOpen ? (
        <div id={id} className="mx-3 flex flex-col gap-4 border-t pt-3 pb-4">
          <Fields {...rest} />
        </div>
      ) : null}
    </section>
  )
}

const periods = (Object.keys(periodWords) as BudgetPeriod[]).map((value) => ({
  value,
  label: periodWords[value],
}))

const usualTimes = [300, 3600, 86_400]

function listTimes(current: string) {
  const all = current === 'off' ? usualTimes : [...new Set([...usualTimes, Number(current)])]
  const times = all.toSorted((one, other) => one - other)
  return [
    { value: 'off', label: 'Off' },
    ...times.map((seconds) => ({ value: String(seconds), label: sayTime(seconds) })),
  ]
}

/** What is wrong with a list, which may be one of its names. */
function issueIn(failure: RequestError | undefined, field: string, names: string[]): string | undefined {
  const issue = failure?.issues.find(({ path }) => path === field || path.startsWith(`${field}.`))
  const name = names[Number(issue?.path.slice(field.length + 1) || Number.NaN)]
  return name === undefined ? issue?.message : `“${name}”: ${issue?.message}`
}

function Fields({ limits, onChange, offered, failure }: Omit<LimitFieldsProps, 'isOpen' | 'onOpenChange'>) {
  const models = useModels(true)
  const set = (change: Partial<Limits>) => onChange({ ...limits, ...change })
  const known = new Set(offered.map(({ value }) => value))
  const choices = [...offered, ...models.filter(({ value }) => !known.has(value))]
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Budget limits={limits} set={set} failure={failure} />
        <Field
          label="Keep answers"
          hint="The same question again costs nothing then."
          error={failure?.issueOf('cache_seconds')}
        >
          {(wiring) => (
            <Select
              {...wiring}
              value={limits.cache}
              onChange={(cache) => set({ cache })}
              options={listTimes(limits.cache)}
            />
          )}
        </Field>
        <Rate
          label="Requests a minute"
          max={1_000_000}
          value={limits.requests}
          onChange={(requests) => set({ requests })}
          error={failure?.issueOf('requests_per_minute')}
        />
        <Rate
          label="Tokens a minute"
          max={1_000_000_000}
          value={limits.tokens}
          onChange={(tokens) => set({ tokens })}
          error={failure?.issueOf('tokens_per_minute')}
        />
      </div>
      <Field
        label="Models"
        hint="With * at its end a name stands for all that begin so, such as gpt-5*."
        error={issueIn(failure, 'allowed_models', limits.models)}
      >
        {(wiring) => (
          <ModelPicker
            {...wiring}
            label="Models"
            chosen={limits.models}
            onChange={(chosen) => set({ models: chosen })}
            choices={choices}
            placeholder="All"
            max={100}
          />
        )}
      </Field>
      <Switch
        label="Fall back to the next provider key"
        hint="In the order of the vault, before another model is asked."
        checked={limits.nextKey}
        onChange={(nextKey) => set({ nextKey })}
      />
      <Field
        label="Fall back to other models"
        hint="Asked in this order where a model fails before anything of its answer has come."
        error={issueIn(failure, 'fallback_models', limits.fallbacks)}
      >
        {(wiring) => (
          <ModelPicker
            {...wiring}
            label="Fall back to other models"
            chosen={limits.fallbacks}
            onChange={(chosen) => set({ fallbacks: chosen })}
            choices={choices}
            placeholder="None"
            max={5}
          />
        )}
      </Field>
    </>
  )
}

type BudgetProps = Pick<LimitFieldsProps, 'limits' | 'failure'> & { set: (change: Partial<Limits>) => void }

function Budget({ limits, set, failure }: BudgetProps) {
  return (
    <Field
      label="Budget in US dollars"
      hint="What it has used up is refused."
      error={failure?.issueOf('budget_usd') ?? failure?.issueOf('budget_period')}
    >
      {(wiring) => (
        <div className="flex gap-2">
          <Input
            {...wiring}
            type="number"
            min="0.000001"
            max="999999"
            step="any"
            inputMode="decimal"
            placeholder="None"
            value={limits.budget}
            onChange={(event) => set({ budget: event.target.value })}
            className="min-w-0 flex-1"
          />
          <Select
            aria-label="For each"
            value={limits.period}
            onChange={(period) => set({ period })}
            options={periods}
            className="w-28! shrink-0"
          />
        </div>
      )}
    </Field>
  )
}

type RateProps = {
  label: string
  max: number
  value: string
  onChange: (value: string) => void
  error: string | undefined
}

function Rate({ onChange, ...props }: RateProps) {
  return (
    <TextField
      {...props}
      type="number"
      min={1}
      inputMode="numeric"
      placeholder="Any number"
      onChange={(event) => onChange(event.target.value)}
    />
  )
}
