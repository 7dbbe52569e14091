'use client'

import { Ellipsis, Pencil, Trash2 } from 'lucide-react'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { IconButton } from '@/components/ui/button'
import { ConfirmDialog } from '@/components/ui/confirm'
import { Menu, MenuItem } from '@/components/ui/menu'
import { request } from '@/components/ui/request'
import { Td } from '@/components/ui/table'
import { Time } from '@/components/ui/time'
import { notify } from '@/components/ui/toast'
import type { KeyRecord } from '@/lib/contracts/keys'
import { BudgetGauge } from './budget-gauge'
import { ChangeKeyDialog } from './key-dialogs'
import { sayEnd } from './key-end'
import type { KeyFormFacts } from './key-fields'
import { sayScopes } from './scope-words'

type ApiKeyRowProps = { record: KeyRecord; reach: string; asOf: string; facts: KeyFormFacts }

/** One API key: what it may, where it reaches, what it has spent, when it was used and ends. */
export function ApiKeyRow({ record, reach, asOf, facts }: ApiKeyRowProps) {
  const { id, name, last4, scopes, budget_usd, last_used_at, expires_at } = record
  const used = last_used_at ? <Time at={last_used_at} /> : 'Never'
  return (
    <tr className="transition-colors hover:bg-surface/60">
      <Td className="relative align-top">
        <div className="flex flex-col">
          <Link
            href={`/keys/${id}`}
            className="wrap-anywhere self-start font-medium normal-nums after:absolute after:inset-0 after:hidden hover:underline pointer-coarse:after:block"
          >
            {name}{' '}
            <span className="whitespace-nowrap font-normal">
              ··<span className="font-mono">{last4}</span>
            </span>
          </Link>
          <span className="wrap-anywhere @3xl:hidden text-ink-soft text-label">
            <span className="@2xl:hidden">{sayScopes(scopes)} · </span>
            {reach}
          </span>
          <span className="@4xl:hidden text-ink-soft text-label">
            <span className="@xl:hidden">{last_used_at ? <>Last used: {used}</> : 'Never used'} · </span>
            <EndInLine expiresAt={expires_at} asOf={asOf} />
          </span>
          {budget_usd === null ? null : (
            <div className="@xl:hidden pt-2">
              <BudgetGauge record={record} />
            </div>
          )}
        </div>
      </Td>
      <Td className="@max-2xl:hidden align-top text-ink-soft">{sayScopes(scopes)}</Td>
      <Td className="wrap-anywhere @max-3xl:hidden min-w-28 align-top text-ink-soft">{reach}</Td>
      <Td className="@max-xl:hidden align-top">
        {budget_usd === null ? <span className="text-ink-soft">None</span> : <BudgetGauge record={record} />}
      </Td>
      <Td className="@max-xl:hidden whitespace-nowrap align-top text-ink-soft">{used}</Td>
      <Td className="@max-4xl:hidden whitespace-nowrap align-top text-ink-soft">
        <End expiresAt={expires_at} asOf={asOf} />
      </Td>
      <Td className="w-10 pr-0! text-right align-top">
        <KeyMenu record={record} facts={facts} />
      </Td>
    </tr>
  )
}

/** When a key ends; said louder when that is soon, or was. */
export function End({ expiresAt, asOf }: { expiresAt: string | null; asOf: string }) {
  const { tone, words } = sayEnd(expiresAt, asOf)
  if (tone === 'good') return words
  return <span className={tone === 'bad' ? 'font-medium text-bad' : 'font-medium text-warn'}>{words}</span>
}

/** The same after other words in a line. */
function EndInLine(props: { expiresAt: string | null; asOf: string }) {
  if (props.expiresAt === null) return 'No end'
  if (sayEnd(props.expiresAt, props.asOf).tone === 'bad') return <End {...props} />
  return (
    <>
      Ends: <End {...props} />
    </>
  )
}

function KeyMenu({ record, facts }: { record: KeyRecord; facts: KeyFormFacts }) {
  const router = useRouter()
  const [open, setOpen] = useState<'change' | 'revoke' | null>(null)
  const onOpenChange = (isOpen: boolean) => {
    if (!isOpen) setOpen(null)
  }
  return (
    <>
      <Menu
        align="end"
        trigger={
          <IconButton
            label={`Actions for ${record.name}, ending ${record.last4}`}
            size="small"
            className="-my-1.5 pointer-coarse:-my-3"
          >
            <Ellipsis size={16} aria-hidden />
          </IconButton>
        }
      >
        <MenuItem icon={<Pencil size={16} aria-hidden />} onSelect={() => setOpen('change')}>
          Change…
        </MenuItem>
        <MenuItem icon={<Trash2 size={16} aria-hidden />} danger onSelect={() => setOpen('revoke')}>
          Revoke…
        </MenuItem>
      </Menu>
      <ChangeKeyDialog record={record} open={open === 'change'} onOpenChange={onOpenChange} {...facts} />
      <RevokeDialog
        record={record}
        open={open === 'revoke'}
        onOpenChange={onOpenChange}
        onRevoked={() => router.refresh()}
      />
    </>
  )
}

type RevokeDialogProps = {
  record: KeyRecord
  open: boolean
  onOpenChange: (open: boolean) => void
  onRevoked: () => void
}

/** Asks before a key is ended for good. */
export function RevokeDialog({ record, open, onOpenChange, onRevoked }: RevokeDialogProps) {
  const { id, name, last4 } = record

  async function revoke() {
    await request('DELETE', `/api/keys/${id}`)
    notify({ title: `Revoked “${name}”` })
    onRevoked()
  }

  return (
    <ConfirmDialog
      open={open}
      onOpenChange={onOpenChange}
      title={`Revoke “${name}”?`}
      action="Revoke key"
      onConfirm={revoke}
    >
      Programs that use the key ending {last4} are refused within a second, also in the middle of an answer.
      It cannot be undone.
    </ConfirmDialog>
  )
}
