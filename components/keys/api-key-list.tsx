'use client'

import { Plus, SquareTerminal } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { Section } from '@/components/portal/page'
import { Button } from '@/components/ui/button'
import { ConfirmDialog } from '@/components/ui/confirm'
import { MoreButton } from '@/components/ui/more-button'
import { request } from '@/components/ui/request'
import { EmptyState, Kbd } from '@/components/ui/status'
import { Table, Td, Th } from '@/components/ui/table'
import { Time } from '@/components/ui/time'
import { notify } from '@/components/ui/toast'
import { useKeyPress } from '@/components/ui/use-key-press'
import { useListing } from '@/components/ui/use-listing'
import type { KeyRecord } from '@/lib/contracts/keys'
import type { Listing } from '@/lib/contracts/primitives'
import { CreateKeyDialog } from './create-key'
import { sayEnd } from './key-end'
import { sayScopes } from './scope-words'

type ApiKeyListProps = {
  first: Listing<KeyRecord>
  projects: { id: string; name: string }[]
  isAdmin: boolean
  /** When the page was drawn. */
  asOf: string
}

/** The reader’s API keys: what each may do and reach, when it was used, when it ends. */
export function ApiKeyList({ first, projects, isAdmin, asOf }: ApiKeyListProps) {
  const [making, setMaking] = useState(false)
  useKeyPress('n', () => setMaking(true))
  const { items: keys, ...more } = useListing(first, '/api/keys')
  const isEmpty = keys.length === 0
  const projectNames = Object.fromEntries(projects.map(({ id, name }) => [id, name]))
  const make = (
    <Button
      look="primary"
      icon={<Plus size={16} aria-hidden />}
      aria-keyshortcuts="n"
      onClick={() => setMaking(true)}
    >
      New key
    </Button>
  )
  return (
    <Section
      title="Your keys"
      actions={
        isEmpty ? null : (
          <div className="flex items-center gap-3">
            <span aria-hidden className="pointer-coarse:hidden text-ink-soft">
              <Kbd>N</Kbd>
            </span>
            {make}
          </div>
        )
      }
    >
      {isEmpty ? (
        <EmptyState icon={<SquareTerminal size={24} aria-hidden />} title="No API keys yet" action={make}>
          A program that uses AL-Chat needs one. It acts in your name, within the limits that you give it.
        </EmptyState>
      ) : (
        <div className="@container">
          <Table label="API keys">
            <thead>
              <tr>
                <Th>Key</Th>
                <Th className="@max-2xl:hidden">May</Th>
                <Th className="@max-3xl:hidden">Reaches</Th>
                <Th className="@max-xl:hidden">Last used</Th>
                <Th className="@max-xl:hidden">Ends</Th>
                <Th>
                  <span className="sr-only">Actions</span>
                </Th>
              </tr>
            </thead>
            <tbody>
              {keys.map((key) => (
                <ApiKeyRow
                  key={key.id}
                  record={key}
                  reach={key.project_id ? (projectNames[key.project_id] ?? 'One project') : 'All of yours'}
                  asOf={asOf}
                />
              ))}
            </tbody>
          </Table>
          <MoreButton {...more} />
        </div>
      )}
      <CreateKeyDialog open={making} onOpenChange={setMaking} projects={projects} isAdmin={isAdmin} />
    </Section>
  )
}

const dollars = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD' })

function ApiKeyRow({ record, reach, asOf }: { record: KeyRecord; reach: string; asOf: string }) {
  const { name, last4, scopes, budget_usd, last_used_at, expires_at } = record
  const end = sayEnd(expires_at, asOf)
  const used = last_used_at ? <Time at={last_used_at} /> : 'Never'
  return (
    <tr>
      <Td className="align-top">
        <div className="flex flex-col">
          <span className="wrap-anywhere font-medium">
            {name} <span className="whitespace-nowrap font-mono font-normal">··{last4}</span>
          </span>
          {budget_usd === null ? null : (
            <span className="text-ink-soft text-label">Budget {dollars.format(budget_usd)}</span>
          )}
          <span className="@2xl:hidden text-ink-soft text-label">{sayScopes(scopes)}</span>
          <span className="@3xl:hidden wrap-anywhere text-ink-soft text-label">{reach}</span>
          <span className="@xl:hidden text-ink-soft text-label">Last used: {used}</span>
          <span className="@xl:hidden text-ink-soft text-label">
            Ends: <End {...end} />
          </span>
        </div>
      </Td>
      <Td className="@max-2xl:hidden align-top text-ink-soft">{sayScopes(scopes)}</Td>
      <Td className="wrap-anywhere @max-3xl:hidden align-top text-ink-soft">{reach}</Td>
      <Td className="@max-xl:hidden whitespace-nowrap align-top text-ink-soft">{used}</Td>
      <Td className="@max-xl:hidden whitespace-nowrap align-top text-ink-soft">
        <End {...end} />
      </Td>
      <Td className="w-20 pr-0! text-right align-top">
        <RevokeButton record={record} />
      </Td>
    </tr>
  )
}

function End({ tone, words }: ReturnType<typeof sayEnd>) {
  if (tone === 'good') return words
  return <span className={tone === 'bad' ? 'font-medium text-bad' : 'font-medium text-warn'}>{words}</span>
}

function RevokeButton({ record: { id, name, last4 } }: { record: KeyRecord }) {
  const router = useRouter()
  const [open, setOpen] = useState(false)

  async function revoke() {
    await request('DELETE', `/api/keys/${id}`)
    notify({ title: `Revoked “${name}”` })
    router.refresh()
  }

  return (
    <>
      <Button size="small" onClick={() => setOpen(true)}>
        Revoke…
        <span className="sr-only">
          {name}, ending {last4}
        </span>
      </Button>
      <ConfirmDialog
        open={open}
        onOpenChange={setOpen}
        title={`Revoke “${name}”?`}
        action="Revoke key"
        onConfirm={revoke}
      >
        Programs that use the key ending {last4} are refused within a second, also in the middle of an answer.
        It cannot be undone.
      </ConfirmDialog>
    </>
  )
}
