'use client'

import { useRouter } from 'next/navigation'
import { Section } from '@/components/portal/page'
import { Button } from '@/components/ui/button'
import { FailureNote } from '@/components/ui/failure'
import { MoreButton } from '@/components/ui/more-button'
import { request } from '@/components/ui/request'
import { Time } from '@/components/ui/time'
import { notify } from '@/components/ui/toast'
import { useListing } from '@/components/ui/use-listing'
import { useSubmit } from '@/components/ui/use-submit'
import type { Listing } from '@/lib/contracts/primitives'
import type { AgentVersionRecord } from '@/lib/contracts/projects'
import { listChanges } from './agent-fields'

type VersionListProps = {
  agentId: string
  current: number
  /** Newest first. */
  first: Listing<AgentVersionRecord>
  readOnly: boolean
}

/** What the agent was before; restoring one makes a new version, so nothing is lost. */
export function VersionList({ agentId, current, first, readOnly }: VersionListProps) {
  const router = useRouter()
  const { items: versions, ...more } = useListing(first, `/api/agents/${agentId}/versions`)
  const { busy, failure, submit } = useSubmit()

  const restore = (version: number) =>
    submit(async () => {
      await request('POST', `/api/agents/${agentId}/versions/${version}/restore`)
      notify({ title: `Restored version ${version}` })
      router.refresh()
    })

  return (
    <Section title="Versions" lead="Every change is kept. Restoring one makes a new version.">
      {failure ? <FailureNote failure={failure} /> : null}
      <ol className="border-t">
        {versions.map(({ version, settings, created_at }, place) => {
          const before = versions[place + 1]
          const changes = before ? listChanges(before.settings, settings) : []
          return (
            <li key={version} className="flex min-h-13 items-center gap-4 border-b py-2">
              <span className="w-8 shrink-0 text-ink-soft text-ui tabular-nums">{version}</span>
              <div className="flex min-w-0 flex-1 flex-col">
                <span className="truncate text-ui">{sayChanges(version, changes)}</span>
                <span className="text-ink-soft text-label">
                  <Time at={created_at} />
                </span>
              </div>
              {version === current ? (
                <span className="text-ink-soft text-label">In use</span>
              ) : readOnly ? null : (
                <Button size="small" disabled={busy} onClick={() => void restore(version)}>
                  Restore
                  <span className="sr-only">version {version}</span>
                </Button>
              )}
            </li>
          )
        })}
      </ol>
      <MoreButton {...more} />
    </Section>
  )
}

function sayChanges(version: number, changes: string[]): string {
  if (version === 1) return 'Created'
  return changes.length === 0
    ? 'Saved without a change'
    : `Changed ${new Intl.ListFormat('en').format(changes)}`
}
