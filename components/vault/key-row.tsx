'use client'

import { Ellipsis, Pencil, Replace, Trash2 } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { Button, IconButton } from '@/components/ui/button'
import { ConfirmDialog } from '@/components/ui/confirm'
import { Menu, MenuItem } from '@/components/ui/menu'
import { request } from '@/components/ui/request'
import { StatusDot } from '@/components/ui/status'
import { Td } from '@/components/ui/table'
import { Time } from '@/components/ui/time'
import { notify } from '@/components/ui/toast'
import type { CredentialView } from '@/lib/contracts/credentials'
import { EditKeyDialog, ReplaceKeyDialog } from './change-key'
import { type KeyState, providerNames, sayAddress, sayDay, sayKey, sayKeyState } from './credential-words'
import type { KeyTest } from './use-key-tests'

export type KeyRowProps = {
  credential: CredentialView
  owner: string
  /** Whether the reader may test, change and delete it. */
  mayChange: boolean
  /** When the page was drawn. */
  asOf: string
  /** What a test of this visit came to, or that it runs. */
  test: KeyTest | undefined
  onTest: () => void
}

/** One key: what it is, whose, where it goes, when it was used and ends, and how it is. */
export function KeyRow(props: KeyRowProps) {
  const { credential, owner, mayChange } = props
  const { credentialType, label, last4, baseUrl, lastUsedAt, expiresAt } = credential
  const name = label ?? providerNames[credentialType]
  return (
    <tr>
      <Td className="align-top">
        <div className="flex flex-col">
          <span className="wrap-anywhere font-medium">
            {name}{' '}
            {last4 ? (
              <span className="whitespace-nowrap font-normal">
                ··<span className="font-mono">{last4}</span>
              </span>
            ) : null}
          </span>
          {label ? <span className="text-ink-soft text-label">{providerNames[credentialType]}</span> : null}
          <span className="wrap-anywhere @3xl:hidden text-ink-soft text-label">
            <span className="@xl:hidden">{owner} · </span>
            {sayAddress(baseUrl)}
          </span>
          <div className="@xl:hidden pt-2.5 pb-0.5">
            <KeyHealth {...props} />
          </div>
        </div>
      </Td>
      <Td className="wrap-anywhere @max-xl:hidden align-top">{owner}</Td>
      <Td className="wrap-anywhere @max-3xl:hidden min-w-36 align-top text-ink-soft">
        {sayAddress(baseUrl)}
      </Td>
      <Td className="@max-2xl:hidden whitespace-nowrap align-top text-ink-soft">
        {lastUsedAt ? <Time at={lastUsedAt} /> : 'Never'}
      </Td>
      <Td className="@max-2xl:hidden whitespace-nowrap align-top text-ink-soft">
        {expiresAt ? sayDay(expiresAt) : 'None'}
      </Td>
      <Td className="@max-xl:hidden w-64 align-top">
        <KeyHealth {...props} />
      </Td>
      <Td className="w-10 pr-0! text-right align-top">{mayChange ? <KeyMenu {...props} /> : null}</Td>
    </tr>
  )
}

function KeyHealth({ credential, mayChange, asOf, test, onTest }: KeyRowProps) {
  const running: KeyState = { tone: 'idle', words: 'Testing…' }
  const { tone, words, since } = test === 'running' ? running : (test ?? sayKeyState(credential, asOf))
  return (
    <div className="flex items-start justify-between gap-3">
      <span aria-live="polite" className="wrap-anywhere pt-0.5">
        <StatusDot tone={tone} label={words} />
        {since ? (
          <span className="block pl-3.5 text-ink-soft text-label">
            <Time at={since} />
          </span>
        ) : null}
      </span>
      {mayChange ? (
        <Button size="small" className="-my-1.5" disabled={test === 'running'} onClick={onTest}>
          Test
          <span className="sr-only">the {sayKey(credential)}</span>
        </Button>
      ) : null}
    </div>
  )
}

function KeyMenu({ credential, owner, onTest }: KeyRowProps) {
  const router = useRouter()
  const [window, openWindow] = useState<'replace' | 'edit' | 'delete' | null>(null)
  const onOpenChange = (open: boolean) => {
    if (!open) openWindow(null)
  }

  async function remove() {
    await request('DELETE', `/api/credentials/${credential.id}`)
    notify({ title: `Deleted the ${sayKey(credential)}` })
    router.refresh()
  }

  return (
    <>
      <Menu
        align="end"
        trigger={
          <IconButton label={`Actions for the ${sayKey(credential)}`} size="small" className="-mt-1.5">
            <Ellipsis size={16} aria-hidden />
          </IconButton>
        }
      >
        <MenuItem icon={<Replace size={16} aria-hidden />} onSelect={() => openWindow('replace')}>
          Replace…
        </MenuItem>
        <MenuItem icon={<Pencil size={16} aria-hidden />} onSelect={() => openWindow('edit')}>
          Label and last day…
        </MenuItem>
        <MenuItem icon={<Trash2 size={16} aria-hidden />} danger onSelect={() => openWindow('delete')}>
          Delete…
        </MenuItem>
      </Menu>
      <ReplaceKeyDialog
        credential={credential}
        open={window === 'replace'}
        onOpenChange={onOpenChange}
        onReplaced={onTest}
      />
      <EditKeyDialog credential={credential} open={window === 'edit'} onOpenChange={onOpenChange} />
      <ConfirmDialog
        open={window === 'delete'}
        onOpenChange={onOpenChange}
        title={`Delete the ${sayKey(credential)}?`}
        action="Delete key"
        onConfirm={remove}
      >
        Chats that it serves ({owner.toLowerCase()}) go on with the next key in the order below, or with the
        demo model. It cannot be undone; the key itself stays valid at the provider.
      </ConfirmDialog>
    </>
  )
}
