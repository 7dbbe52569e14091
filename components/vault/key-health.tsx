'use client'

import { useState } from 'react'
import { Button } from '@/components/ui/button'
import { asRequestError, request } from '@/components/ui/request'
import { StatusDot } from '@/components/ui/status'
import type { CredentialRecord, CredentialTest } from '@/lib/contracts/credentials'
import { sayKey } from './credential-words'

type Outcome = { tone: 'good' | 'bad'; words: string }

function sayOutcome({ ok, models, latency_ms, error }: CredentialTest): Outcome {
  if (!ok) return { tone: 'bad', words: error ?? 'The provider refused it without saying why.' }
  const count = models === undefined ? '' : `, ${models} ${models === 1 ? 'model' : 'models'}`
  return { tone: 'good', words: `Works${count} (${Math.round(latency_ms)} ms)` }
}

/** Asks the provider whether the key works, by one cheap call, and says what it answered. */
export function KeyHealth({ credential }: { credential: CredentialRecord }) {
  const [busy, setBusy] = useState(false)
  const [outcome, setOutcome] = useState<Outcome>()

  async function test() {
    setBusy(true)
    try {
      setOutcome(sayOutcome(await request<CredentialTest>('POST', `/api/credentials/${credential.id}/test`)))
    } catch (error) {
      setOutcome({ tone: 'bad', words: asRequestError(error).message })
    } finally {
      setBusy(false)
    }
  }

  return (
    <div className="flex min-w-0 items-center gap-2">
      <Button size="small" busy={busy} busyLabel="Testing…" onClick={() => void test()}>
        Test
        <span className="sr-only">the {sayKey(credential)}</span>
      </Button>
      <span aria-live="polite" className="min-w-0 max-w-72">
        {outcome ? <StatusDot tone={outcome.tone} label={outcome.words} /> : null}
      </span>
    </div>
  )
}
