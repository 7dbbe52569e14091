'use client'

import { Activity, ChevronDown } from 'lucide-react'
import { useId, useRef, useState } from 'react'
import { Section } from '@/components/portal/page'
import { Button, IconButton } from '@/components/ui/button'
import { cn } from '@/components/ui/class-names'
import { FactLines } from '@/components/ui/facts'
import { MoreButton } from '@/components/ui/more-button'
import { EmptyState, StatusDot } from '@/components/ui/status'
import { Table, Td, Th } from '@/components/ui/table'
import { Time } from '@/components/ui/time'
import { inFull } from '@/components/usage/usage-words'
import type { TrafficEntry } from '@/lib/contracts/keys'
import type { Listing } from '@/lib/contracts/primitives'
import { listCallFacts, sayCost, sayLength, sayMarks, sayOutcome } from './traffic-words'
import { useTraffic } from './use-traffic'

type TrafficProps = {
  keyId: string
  first: Listing<TrafficEntry>
  /** Hears when there were new calls. */
  onNews: () => void
  /** A first call to copy stands further down the page. */
  hasSnippets: boolean
}

/** The calls with a key, newest first, each of which opens to all that is known of it. */
export function Traffic({ keyId, first, onNews, hasSnippets }: TrafficProps) {
  const place = useRef<HTMLDivElement>(null)
  const { items, held, show, lost, more } = useTraffic(first, `/api/keys/${keyId}/traffic`, { place, onNews })
  return (
    <Section
      title="Traffic"
      lead={lost ? <Lost message={lost.message} /> : 'Each call with this key, the newest first.'}
      actions={
        <div role="status">
          {held > 0 ? (
            <Button size="small" onClick={show}>
              Show {inFull(held)} new {held === 1 ? 'call' : 'calls'}
            </Button>
          ) : null}
        </div>
      }
    >
      <div ref={place} className="@container">
        {items.length === 0 ? (
          <EmptyState icon={<Activity size={24} aria-hidden />} title="No calls yet">
            What a program asks of a model with this key is here as soon as it is answered: tokens, cost,
            times.{hasSnippets ? ' Below is a first call to copy.' : null}
          </EmptyState>
        ) : (
          <CallTable entries={items} />
        )}
        <MoreButton {...more} />
      </div>
    </Section>
  )
}

function Lost({ message }: { message: string }) {
  return <span className="text-warn">This is not kept up to date: {message}</span>
}

/** Columns that there is room for; where there is not, each line says it in words. */
const wide = '@max-3xl:hidden text-right'
const widest = '@max-4xl:hidden text-right'

function CallTable({ entries }: { entries: TrafficEntry[] }) {
  return (
    <Table label="Traffic">
      <thead>
        <tr>
          <Th className="@max-xl:hidden w-24">When</Th>
          <Th>Model</Th>
          <Th className={wide}>Tokens in</Th>
          <Th className={wide}>Out</Th>
          <Th className="@max-xl:hidden text-right">Cost</Th>
          <Th className={wide}>First token</Th>
          <Th className={widest}>Took</Th>
          <Th className="@max-3xl:pl-0 pl-4">Status</Th>
          <Th className={widest}>Retries</Th>
          <Th className="@max-4xl:hidden">Cache</Th>
          <Th className="w-9 pr-0!">
            <span className="sr-only">Details</span>
          </Th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <Call key={entry.id} entry={entry} />
        ))}
      </tbody>
    </Table>
  )
}

function Call({ entry }: { entry: TrafficEntry }) {
  const [isOpen, setOpen] = useState(false)
  const factsId = useId()
  const { tone, words } = sayOutcome(entry)
  const { at, model, input_tokens, cached_tokens, output_tokens, first_token_ms, duration_ms } = entry
  const { retries, cache } = entry
  const line = isOpen ? 'border-b-0' : undefined
  const number = cn(wide, line, 'whitespace-nowrap align-top')
  const more = cn(widest, line, 'whitespace-nowrap align-top')
  return (
    <>
      <tr>
        <Td className={cn('@max-xl:hidden align-top text-ink-soft', line)}>
          <Time at={at} />
        </Td>
        <Td className={cn('align-top', line)}>
          <Model entry={entry} />
        </Td>
        <Td className={number}>
          {inFull(input_tokens)}
          {cached_tokens > 0 ? (
            <span className="block text-ink-soft text-label">{inFull(cached_tokens)} cached</span>
          ) : null}
        </Td>
        <Td className={number}>{inFull(output_tokens)}</Td>
        <Td className={cn('@max-xl:hidden whitespace-nowrap text-right align-top', line)}>
          {sayCost(entry)}
        </Td>
        <Td className={number}>{first_token_ms === null ? <Nothing /> : sayLength(first_token_ms)}</Td>
        <Td className={more}>{sayLength(duration_ms)}</Td>
        <Td className={cn('@max-3xl:pl-0 pl-4 align-top', line)}>
          <span className={cn('whitespace-nowrap', tone === 'bad' && 'font-medium')}>
            <StatusDot tone={tone} label={words} />
          </span>
        </Td>
        <Td className={more}>{retries === 0 ? <Nothing /> : inFull(retries)}</Td>
        <Td className={cn('@max-4xl:hidden whitespace-nowrap align-top text-ink-soft', line)}>
          {cache === null ? <Nothing /> : cache === 'hit' ? 'Hit' : 'Miss'}
        </Td>
        <Td className={cn('py-1.5! pointer-coarse:py-0! pr-0! align-top', line)}>
          <IconButton
            label={`Details: ${model}, ${words}`}
            size="small"
            aria-expanded={isOpen}
            aria-controls={isOpen ? factsId : undefined}
            onClick={() => setOpen(!isOpen)}
          >
            <ChevronDown
              size={16}
              aria-hidden
              className={cn('transition-transform', isOpen && 'rotate-180')}
            />
          </IconButton>
        </Td>
      </tr>
      {isOpen ? (
        <tr id={factsId}>
          <Td colSpan={11} className="pt-0! pr-0!">
            <div className="rounded-control bg-surface px-4 py-3">
              <FactLines facts={listCallFacts(entry)} />
            </div>
          </Td>
        </tr>
      ) : null}
    </>
  )
}

function Nothing() {
  return <span className="text-ink-soft">–</span>
}

function Model({ entry }: { entry: TrafficEntry }) {
  const { at, model, endpoint, input_tokens, output_tokens, first_token_ms } = entry
  const marks = sayMarks(entry)
  const first = first_token_ms === null ? '' : ` · ${sayLength(first_token_ms)}`
  return (
    <div className="flex min-w-0 flex-col">
      <span className="wrap-anywhere font-medium normal-nums">{model}</span>
      {endpoint ? <span className="wrap-anywhere text-ink-soft text-label">{endpoint}</span> : null}
      <span className="@3xl:hidden text-ink-soft text-label">
        {inFull(input_tokens)} in · {inFull(output_tokens)} out{first}
      </span>
      <span className="@xl:hidden text-ink-soft text-label">
        {sayCost(entry)} · <Time at={at} />
      </span>
      {marks === null ? null : <span className="@4xl:hidden text-ink-soft text-label">{marks}</span>}
    </div>
  )
}
