'use client'

import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { asRequestError, request } from '@/components/ui/request'
import type { CredentialTest } from '@/lib/contracts/credentials'
import { type KeyState, sayTest } from './credential-words'

export type KeyTest = 'running' | KeyState

async function runTest(credentialId: string): Promise<KeyState> {
  try {
    return sayTest(await request<CredentialTest>('POST', `/api/credentials/${credentialId}/test`))
  } catch (error) {
    return { tone: 'bad', words: asRequestError(error).message }
  }
}

/** The tests of this visit, by key: those that run, and what the others came to. */
export function useKeyTests() {
  const router = useRouter()
  const [tests, setTests] = useState<Record<string, KeyTest>>({})
  const note = (id: string, test: KeyTest) => setTests((all) => ({ ...all, [id]: test }))

  /** Asks the provider whether the key works, by one cheap call. */
  async function test(credentialId: string): Promise<void> {
    note(credentialId, 'running')
    note(credentialId, await runTest(credentialId))
    // What the vault says of the key has changed with it.
    router.refresh()
  }

  return { tests, test: (credentialId: string) => void test(credentialId) }
}
