'use client'

import { useEffect, useRef, useState } from 'react'
import type { MessageRecord, MessageStatus } from '@/lib/contracts/conversations'

const words: Record<MessageStatus, string> = {
  running: 'The answer has begun.',
  completed: 'The answer is complete.',
  stopped: 'The answer was stopped.',
  interrupted: 'The answer was interrupted.',
  failed: 'The answer failed.',
}

/** What a screen reader says about the last answer: that it began and how it ended, never its words. */
export function useAnnouncement(last: MessageRecord | undefined): string {
  const before = useRef({ id: last?.id, status: last?.status })
  const [said, setSaid] = useState('')
  const id = last?.id
  const status = last?.role === 'assistant' ? last.status : undefined
  useEffect(() => {
    const known = before.current
    before.current = { id, status }
    if (!status || (known.id === id && known.status === status)) return
    if (status === 'running' || known.status === 'running') setSaid(words[status])
  }, [id, status])
  return said
}
