'use client'

import { ChevronDown } from 'lucide-react'
import Link from 'next/link'
import { useId, useState } from 'react'
import { IconButton } from '@/components/ui/button'
import { cn } from '@/components/ui/class-names'
import { FactLines } from '@/components/ui/facts'
import { Table, Td, Th } from '@/components/ui/table'
import { Time } from '@/components/ui/time'
import type { AuditEntry } from '@/lib/contracts/audit'
import { type AuditView, hrefOf } from './audit-view'
import { isNotable, listFacts, sayAction, sayActor } from './audit-words'

type AuditTableProps = { entries: AuditEntry[]; view: AuditView }

/** The records, newest first; each opens to all that is known of it. */
export function AuditTable({ entries, view }: AuditTableProps) {
  return (
    <Table label="Audit">
      <thead>
        <tr>
          <Th className="w-28 max-sm:hidden">When</Th>
          <Th>What</Th>
          <Th className="max-lg:hidden">Who</Th>
          <Th className="max-lg:hidden">From</Th>
          <Th className="w-9 pr-0!">
            <span className="sr-only">Details</span>
          </Th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <AuditRow key={entry.id} entry={entry} view={view} />
        ))}
      </tbody>
    </Table>
  )
}

function AuditRow({ entry, view }: { entry: AuditEntry; view: AuditView }) {
  const [isOpen, setOpen] = useState(false)
  const factsId = useId()
  const what = sayAction(entry.action)
  const line = isOpen ? 'border-b-0' : undefined
  return (
    <>
      <tr>
        <Td className={cn('align-top text-ink-soft max-sm:hidden', line)}>
          <Time at={entry.at} />
        </Td>
        <Td className={cn('align-top', line)}>
          <What entry={entry} />
        </Td>
        <Td className={cn('wrap-anywhere align-top max-lg:hidden', line)}>
          <Who entry={entry} />
        </Td>
        <Td className={cn('wrap-anywhere align-top text-ink-soft max-lg:hidden', line)}>{entry.ip}</Td>
        <Td className={cn('py-1.5! pointer-coarse:py-0! pr-0! align-top', line)}>
          <IconButton
            label={`Details: ${what}, ${sayActor(entry)}`}
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
          <Td colSpan={5} className="pt-0! pr-0!">
            <Facts entry={entry} view={view} />
          </Td>
        </tr>
      ) : null}
    </>
  )
}

function What({ entry }: { entry: AuditEntry }) {
  const { action, target_name } = entry
  return (
    <div className="flex flex-col">
      <span className="font-medium">
        {sayAction(action)}
        {isNotable(action) ? (
          <span aria-hidden className="ml-2 inline-block size-2 rounded-full bg-warn" />
        ) : null}
      </span>
      {target_name ? <span className="wrap-anywhere text-ink-soft text-label">{target_name}</span> : null}
      <span className="wrap-anywhere text-ink-soft text-label lg:hidden">
        <span className="sm:hidden">
          <Time at={entry.at} />
          {' · '}
        </span>
        {sayActor(entry)}
        {entry.key_id ? ' with an API key' : null}
        {entry.ip ? ` · ${entry.ip}` : null}
      </span>
    </div>
  )
}

function Who({ entry }: { entry: AuditEntry }) {
  return (
    <div className="flex flex-col">
      <span className={entry.actor?.email ? undefined : 'text-ink-soft'}>{sayActor(entry)}</span>
      {entry.key_id ? <span className="text-ink-soft text-label">With an API key</span> : null}
    </div>
  )
}

/** All that is known of a record, and the way to what else its person did and what else was done to its target. */
function Facts({ entry, view }: { entry: AuditEntry; view: AuditView }) {
  const { actor, target } = entry
  const links = [
    { href: actor && hrefOf({ ...view, actor: actor.email ?? actor.id }), label: 'All by this person' },
    { href: target && hrefOf({ ...view, action: '', target }), label: 'All about this' },
  ]
  return (
    <div className="flex flex-col gap-3 rounded-control bg-surface px-4 py-3">
      <FactLines facts={listFacts(entry)} />
      <div className="flex gap-4 text-label">
        {links.map(({ href, label }) =>
          href ? (
            <Link key={label} href={href} className="rounded-control text-accent hover:underline">
              {label}
            </Link>
          ) : null,
        )}
      </div>
    </div>
  )
}
