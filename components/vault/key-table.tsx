'use client'

import { Ellipsis, KeyRound, Plus, Replace, Trash2 } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { Section } from '@/components/portal/page'
import { Button, IconButton } from '@/components/ui/button'
import { ConfirmDialog } from '@/components/ui/confirm'
import { Menu, MenuItem } from '@/components/ui/menu'
import { request } from '@/components/ui/request'
import { EmptyState } from '@/components/ui/status'
import { Table, Td, Th } from '@/components/ui/table'
import { Time } from '@/components/ui/time'
import { notify } from '@/components/ui/toast'
import type { CredentialRecord } from '@/lib/contracts/credentials'
import { providerNames, sayAddress, sayKey, sayOwner } from './credential-words'
import { AddKeyDialog, type ProjectChoice, ReplaceKeyDialog } from './key-dialog'
import { KeyHealth } from './key-health'

type KeyTableProps = {
  credentials: CredentialRecord[]
  /** The reader’s projects; those of their own may get keys. */
  projects: ProjectChoice[]
  mayServeEveryone: boolean
}

/** The keys by whose they are, for what, where they go, and when they were last used. */
export function KeyTable({ credentials, projects, mayServeEveryone }: KeyTableProps) {
  const [adding, setAdding] = useState(false)
  const isEmpty = credentials.length === 0
  const projectNames = Object.fromEntries(projects.map(({ id, name }) => [id, name]))
  const add = (
    <Button look="primary" icon={<Plus size={16} aria-hidden />} onClick={() => setAdding(true)}>
      Add key
    </Button>
  )
  return (
    <Section title="Keys" actions={isEmpty ? null : add}>
      {isEmpty ? (
        <EmptyState icon={<KeyRound size={24} aria-hidden />} title="No keys yet" action={add}>
          Until there is one, the demo model answers, which is scripted. With a key of OpenAI, or of any
          server that speaks its language, real models do.
        </EmptyState>
      ) : (
        <Table label="Keys">
          <thead>
            <tr>
              <Th>Key</Th>
              <Th>Whose</Th>
              <Th className="max-md:hidden">Goes to</Th>
              <Th className="max-sm:hidden">Last used</Th>
              <Th className="max-sm:hidden">Health</Th>
              <Th>
                <span className="sr-only">Actions</span>
              </Th>
            </tr>
          </thead>
          <tbody>
            {credentials.map((credential) => (
              <KeyRow
                key={credential.id}
                credential={credential}
                owner={sayOwner(credential, projectNames)}
              />
            ))}
          </tbody>
        </Table>
      )}
      <AddKeyDialog
        open={adding}
        onOpenChange={setAdding}
        projects={projects}
        mayServeEveryone={mayServeEveryone}
      />
    </Section>
  )
}

function KeyRow({ credential, owner }: { credential: CredentialRecord; owner: string }) {
  const { credentialType, label, last4, baseUrl, lastUsedAt } = credential
  return (
    <tr>
      <Td>
        <div className="flex flex-col">
          <span className="whitespace-nowrap font-medium">
            {label ?? providerNames[credentialType]} <span className="font-mono font-normal">··{last4}</span>
          </span>
          {label ? <span className="text-ink-soft text-label">{providerNames[credentialType]}</span> : null}
          <span className="wrap-anywhere text-ink-soft text-label md:hidden">{sayAddress(baseUrl)}</span>
          <div className="pt-2 sm:hidden">
            <KeyHealth credential={credential} />
          </div>
        </div>
      </Td>
      <Td>{owner}</Td>
      <Td className="wrap-anywhere min-w-44 text-ink-soft max-md:hidden">{sayAddress(baseUrl)}</Td>
      <Td className="text-ink-soft max-sm:hidden">{lastUsedAt ? <Time at={lastUsedAt} /> : 'Never'}</Td>
      <Td className="max-sm:hidden">
        <KeyHealth credential={credential} />
      </Td>
      <Td className="w-9 pr-0">
        <KeyMenu credential={credential} owner={owner} />
      </Td>
    </tr>
  )
}

function KeyMenu({ credential, owner }: { credential: CredentialRecord; owner: string }) {
  const router = useRouter()
  const [window, openWindow] = useState<'replace' | 'delete' | null>(null)
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
          <IconButton label={`Actions for the ${sayKey(credential)}`}>
            <Ellipsis size={16} aria-hidden />
          </IconButton>
        }
      >
        <MenuItem icon={<Replace size={16} aria-hidden />} onSelect={() => openWindow('replace')}>
          Replace…
        </MenuItem>
        <MenuItem icon={<Trash2 size={16} aria-hidden />} danger onSelect={() => openWindow('delete')}>
          Delete…
        </MenuItem>
      </Menu>
      <ReplaceKeyDialog credential={credential} open={window === 'replace'} onOpenChange={onOpenChange} />
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
