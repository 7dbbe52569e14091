'use client'

import { useState } from 'react'
import { asRequestError, type RequestError } from './request'

/** One call at a time: what it failed with, whether it runs, and the function that runs it (true if it went well). */
export function useSubmit() {
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<RequestError>()

  async function submit(run: () => Promise<void>): Promise<boolean> {
    if (busy) return false
    setBusy(true)
    setFailure(undefined)
    try {
      await run()
      return true
    } catch (error) {
      setFailure(asRequestError(error))
      return false
    } finally {
      setBusy(false)
    }
  }

  return { busy, failure, submit }
}
