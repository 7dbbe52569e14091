'use client'

import { KeyRound, Plus } from 'lucide-react'
import { useState } from 'react'
import { Section } from '@/components/portal/page'
import { Button } from '@/components/ui/button'
import { EmptyState, Kbd } from '@/components/ui/status'
import { Table, Th } from '@/components/ui/table'
import { useKeyPress } from '@/components/ui/use-key-press'
import type { CredentialView } from '@/lib/contracts/credentials'
import { AddKeyDialog, type ProjectChoice } from './add-key'
import { sayOwner } from './credential-words'
import { KeyFilter, useKeyFilter } from './key-filter'
import { KeyRow } from './key-row'
import { useKeyTests } from './use-key-tests'

type KeyTableProps = {
  credentials: CredentialView[]
  /** The reader’s projects; those that they may change may get keys. */
  projects: ProjectChoice[]
  mayServeEveryone: boolean
  /** When the page was drawn. */
  asOf: string
}

/** The keys by whose they are, for what, where they go, when they were last used and when they end. */
export function KeyTable({ credentials, projects, mayServeEveryone, asOf }: KeyTableProps) {
  const [adding, setAdding] = useState(false)
  const { tests, test } = useKeyTests()
  const projectNames = Object.fromEntries(projects.map(({ id, name }) => [id, name]))
  const filter = useKeyFilter(credentials, { projectNames, asOf })
  const isEmpty = credentials.length === 0
  useKeyPress('n', () => setAdding(true))

  const mayChange = ({ scope, projectId }: CredentialView) =>
    scope !== 'project' || projects.some(({ id, mayKeepKeys }) => id === projectId && mayKeepKeys)
  const add = (
    <Button
      look="primary"
      icon={<Plus size={16} aria-hidden />}
      aria-keyshortcuts="n"
      onClick={() => setAdding(true)}
    >
      Add key
    </Button>
  )

  return (
    <Section
      title="Keys"
      actions={
        isEmpty ? null : (
          <div className="flex items-center gap-3">
            <span aria-hidden className="pointer-coarse:hidden text-ink-soft">
              <Kbd>N</Kbd>
            </span>
            {add}
          </div>
        )
      }
    >
      {isEmpty ? (
        <EmptyState icon={<KeyRound size={24} aria-hidden />} title="No keys yet" action={add}>
          Until there is one, the demo model answers, which is scripted. With a key of OpenAI, or of any
          server that speaks its language, real models do.
        </EmptyState>
      ) : (
        <>
          <KeyFilter filter={filter} />
          <div className="@container">
            <Table label="Keys">
              <thead>
                <tr>
                  <Th>Key</Th>
                  <Th className="@max-xl:hidden">Whose</Th>
                  <Th className="@max-3xl:hidden">Goes to</Th>
                  <Th className="@max-2xl:hidden">Last used</Th>
                  <Th className="@max-2xl:hidden">Last day</Th>
                  <Th className="@max-xl:hidden">How it is</Th>
                  <Th>
                    <span className="sr-only">Actions</span>
                  </Th>
                </tr>
              </thead>
              <tbody>
                {filter.shown.map((credential) => (
                  <KeyRow
                    key={credential.id}
                    credential={credential}
                    owner={sayOwner(credential, projectNames)}
                    mayChange={mayChange(credential)}
                    asOf={asOf}
                    test={tests[credential.id]}
                    onTest={() => test(credential.id)}
                  />
                ))}
              </tbody>
            </Table>
          </div>
          {filter.shown.length === 0 ? (
            <p className="py-2 text-ink-soft text-ui">No key has all of these words.</p>
          ) : null}
        </>
      )}
      <AddKeyDialog
        open={adding}
        onOpenChange={setAdding}
        projects={projects}
        mayServeEveryone={mayServeEveryone}
        onAdded={({ id }) => {
          filter.clear()
          test(id)
        }}
      />
    </Section>
  )
}
