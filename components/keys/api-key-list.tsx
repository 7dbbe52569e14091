'use client'

import { Plus, SquareTerminal } from 'lucide-react'
import { useState } from 'react'
import { Section } from '@/components/portal/page'
import { Button } from '@/components/ui/button'
import { MoreButton } from '@/components/ui/more-button'
import { EmptyState, Kbd } from '@/components/ui/status'
import { Table, Th } from '@/components/ui/table'
import { useKeyPress } from '@/components/ui/use-key-press'
import { useListing } from '@/components/ui/use-listing'
import type { KeyRecord } from '@/lib/contracts/keys'
import type { Listing } from '@/lib/contracts/primitives'
import { ApiKeyRow } from './api-key-row'
import { CreateKeyDialog } from './key-dialogs'
import type { KeyFormFacts } from './key-fields'
import { sayReach } from './scope-words'

type ApiKeyListProps = {
  first: Listing<KeyRecord>
  facts: KeyFormFacts
  /** When the page was drawn. */
  asOf: string
}

/** The reader’s API keys: what each may do and reach, what it has spent, when it was used, when it ends. */
export function ApiKeyList({ first, facts, asOf }: ApiKeyListProps) {
  const [making, setMaking] = useState(false)
  useKeyPress('n', () => setMaking(true))
  const { items: keys, ...more } = useListing(first, '/api/keys')
  const isEmpty = keys.length === 0
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
          A program that uses AL-Chat, or a model through it, needs one. It acts in your name, within the
          limits that you give it.
        </EmptyState>
      ) : (
        <div className="@container">
          <Table label="API keys">
            <thead>
              <tr>
                <Th>Key</Th>
                <Th className="@max-2xl:hidden">May</Th>
                <Th className="@max-3xl:hidden">Reaches</Th>
                <Th className="@max-xl:hidden">Budget</Th>
                <Th className="@max-xl:hidden">Last used</Th>
                <Th className="@max-4xl:hidden">Ends</Th>
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
                  reach={sayReach(key, facts.projects)}
                  asOf={asOf}
                  facts={facts}
                />
              ))}
            </tbody>
          </Table>
          <MoreButton {...more} />
        </div>
      )}
      <CreateKeyDialog open={making} onOpenChange={setMaking} {...facts} />
    </Section>
  )
}
