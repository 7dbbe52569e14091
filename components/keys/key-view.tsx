'use client'

import { Pencil, Trash2 } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { Section } from '@/components/portal/page'
import { Button } from '@/components/ui/button'
import { Fact, Facts } from '@/components/ui/facts'
import { request } from '@/components/ui/request'
import { Time } from '@/components/ui/time'
import { inFull } from '@/components/usage/usage-words'
import type { KeyRecord, TrafficEntry } from '@/lib/contracts/keys'
import type { Listing } from '@/lib/contracts/primitives'
import { End, RevokeDialog } from './api-key-row'
import { BudgetGauge } from './budget-gauge'
import { ChangeKeyDialog } from './key-dialogs'
import type { KeyFormFacts } from './key-fields'
import { sayFallbacks, sayTime } from './policy-words'
import { sayReach, sayScopes } from './scope-words'
import { Traffic } from './traffic-table'

/** What can be done with a key: changed, or ended for good. */
export function KeyActions({ record, facts }: { record: KeyRecord; facts: KeyFormFacts }) {
  const router = useRouter()
  const [open, setOpen] = useState<'change' | 'revoke' | null>(null)
  const onOpenChange = (isOpen: boolean) => {
    if (!isOpen) setOpen(null)
  }
  return (
    <>
      <Button icon={<Pencil size={16} aria-hidden />} onClick={() => setOpen('change')}>
        <span className="max-sm:sr-only">Change</span>
      </Button>
      <Button icon={<Trash2 size={16} aria-hidden />} onClick={() => setOpen('revoke')}>
        <span className="max-sm:sr-only">Revoke…</span>
      </Button>
      <ChangeKeyDialog record={record} open={open === 'change'} onOpenChange={onOpenChange} {...facts} />
      <RevokeDialog
        record={record}
        open={open === 'revoke'}
        onOpenChange={onOpenChange}
        onRevoked={() => router.push('/keys')}
      />
    </>
  )
}

type KeyViewProps = {
  record: KeyRecord
  projects: KeyFormFacts['projects']
  traffic: Listing<TrafficEntry>
  /** When the page was drawn. */
  asOf: string
}

/** One key: what it may, what it has spent, and what is called with it, kept up to date. */
export function KeyView({ record, projects, traffic, asOf }: KeyViewProps) {
  const { shown, renew } = useRecord(record)
  const { scopes, last_used_at, expires_at, created_at } = shown
  return (
    <>
      <Facts label="About this key">
        <Fact label="May">{sayScopes(scopes)}</Fact>
        <Fact label="Reaches">{sayReach(shown, projects)}</Fact>
        <Fact label="Last used">{last_used_at ? <Time at={last_used_at} /> : 'Never'}</Fact>
        <Fact label="Made">
          <Time at={created_at} />
        </Fact>
        <Fact label="Ends">
          <End expiresAt={expires_at} asOf={asOf} />
        </Fact>
      </Facts>
      {scopes.includes('gateway') || scopes.includes('chat') ? <Limits record={shown} /> : null}
      <Traffic keyId={shown.id} first={traffic} onNews={renew} hasSnippets={scopes.includes('gateway')} />
    </>
  )
}

/** The key as the page brought it, or as it was asked for since. */
function useRecord(record: KeyRecord) {
  const [state, setState] = useState({ first: record, shown: record })
  if (state.first !== record) setState({ first: record, shown: record })
  const renew = () => {
    request<KeyRecord>('GET', `/api/keys/${record.id}`).then(
      (shown) => setState((now) => ({ ...now, shown })),
      // What is shown was right a moment ago, and the next call asks again.
      () => {},
    )
  }
  return { shown: state.shown, renew }
}

function Limits({ record }: { record: KeyRecord }) {
  const { budget_usd, requests_per_minute, tokens_per_minute, allowed_models, cache_seconds } = record
  const fallbacks = sayFallbacks(record)
  return (
    <Section title="Limits">
      <Facts label="Limits">
        <Fact label="Budget">
          {budget_usd === null ? <None>None</None> : <BudgetGauge record={record} />}
        </Fact>
        <Fact label="Requests a minute">
          {requests_per_minute === null ? <None>Any number</None> : inFull(requests_per_minute)}
        </Fact>
        <Fact label="Tokens a minute">
          {tokens_per_minute === null ? <None>Any number</None> : inFull(tokens_per_minute)}
        </Fact>
        <Fact label="Models">
          {allowed_models.length === 0 ? <None>All</None> : <Names>{allowed_models.join(', ')}</Names>}
        </Fact>
        <Fact label="Falls back to">
          {fallbacks === null ? <None>Nothing</None> : <Names>{fallbacks.replace(/^the/, 'The')}</Names>}
        </Fact>
        <Fact label="Keeps answers for">
          {cache_seconds === null ? <None>No time</None> : sayTime(cache_seconds)}
        </Fact>
      </Facts>
    </Section>
  )
}

/** Hyphens and digits as wide as in words: as tabular figures they tear a name apart. */
function Names({ children }: { children: string }) {
  return <span className="normal-nums">{children}</span>
}

/** What is not limited steps back. */
function None({ children }: { children: string }) {
  return <span className="text-ink-soft">{children}</span>
}
