'use client'

import { useRouter } from 'next/navigation'
import { useEffect, useState } from 'react'
import { Section } from '@/components/portal/page'
import { Button } from '@/components/ui/button'
import { ConfirmDialog } from '@/components/ui/confirm'
import { LinkButton } from '@/components/ui/link-button'
import { request } from '@/components/ui/request'
import { StatusDot } from '@/components/ui/status'
import type { RotationRecord, VaultKeyState } from '@/lib/contracts/credentials'
import { sayDay } from './credential-words'

/** How often the page asks how far a rotation is. */
const pollMs = 1500

/** The key that seals the others: its number and age, its rotation, and where all of this is recorded. For admins. */
export function VaultKey({ state }: { state: VaultKeyState }) {
  const router = useRouter()
  const [asking, setAsking] = useState(false)
  const [begun, setBegun] = useState<RotationRecord>()
  const isRotating = state.from_version !== null
  const isDone = begun !== undefined && !isRotating && state.version >= begun.to_version
  const isWaiting = isRotating || (begun !== undefined && !isDone)
  useEffect(() => {
    if (!isWaiting) return
    const timer = setInterval(() => router.refresh(), pollMs)
    return () => clearInterval(timer)
  }, [isWaiting, router])

  async function rotate() {
    setBegun(await request<RotationRecord>('POST', '/api/credentials/rotate'))
    router.refresh()
  }

  return (
    <Section
      title="The vault’s own key"
      lead="It seals every key above. Only admins see this."
      actions={
        <div className="flex flex-wrap gap-2">
          <LinkButton href="/admin/audit" look="ghost">
            Audit
          </LinkButton>
          <Button disabled={isWaiting} onClick={() => setAsking(true)}>
            Rotate the vault key…
          </Button>
        </div>
      }
    >
      <div aria-live="polite" className="border-t pt-3">
        <StatusDot
          tone={isWaiting ? 'warn' : 'good'}
          label={
            isWaiting
              ? sayProgress(state)
              : `Version ${state.version}, since ${sayDay(state.since)}${isDone ? '. The rotation is done; the old version opens nothing any more.' : ''}`
          }
        />
      </div>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title="Rotate the vault key?"
        action="Rotate key"
        onConfirm={rotate}
      >
        Version {state.version + 1} is made, and every key is sealed anew under it. Chats go on meanwhile, and
        a rotation that is cut off goes on at the next start. At its end version {state.version} opens nothing
        here any more. The keys of the providers stay as they are.
      </ConfirmDialog>
    </Section>
  )
}

function sayProgress({ from_version, version, remaining }: VaultKeyState): string {
  if (from_version === null) return 'The rotation begins…'
  const left = remaining === 1 ? '1 key is' : `${remaining} keys are`
  return `Rotating from version ${from_version} to ${version}. ${left} still to be sealed anew.`
}
