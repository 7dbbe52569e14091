'use client'

import { useHealth } from '@/components/portal/use-health'
import { StatusDot } from '@/components/ui/status'
import type { ResolutionStep } from '@/lib/contracts/credentials'
import { sayService, sayServing } from './live-words'

/** How AL-Chat is, now. */
export function ServiceHealth() {
  const { tone, words } = sayService(useHealth())
  return <StatusDot tone={tone} label={words} />
}

/** Whether an agent can answer, and the key that would serve it. */
export function ServingKey({ serving }: { serving: ResolutionStep | null }) {
  const { tone, words } = sayServing(serving, useHealth())
  return <StatusDot tone={tone} label={words} />
}
