'use client'

import { useEffect, useRef, useState } from 'react'
import { asRequestError, RequestError } from '@/components/ui/request'
import { askCompletion, readCompletion, type TokenCount } from './completion-stream'

export type Trial = {
  state: 'running' | 'done' | 'stopped' | 'failed'
  model: string
  text: string
  firstTokenMs?: number
  durationMs?: number
  tokens?: TokenCount
  requestId?: string
  failure?: RequestError
}

/** So much of an answer is shown; a trial is no place for a book. */
const maxLength = 100_000

type Question = { model: string; text: string; readKey?: (() => string) | undefined }

/** One question to the gateway at a time, and what has come of it. */
export function useTrial() {
  const [trial, setTrial] = useState<Trial | null>(null)
  const running = useRef<AbortController | null>(null)
  useEffect(() => () => running.current?.abort(), [])

  async function ask({ model, text, readKey }: Question): Promise<void> {
    if (running.current) return
    const gone = new AbortController()
    running.current = gone
    const add = (change: Partial<Trial>) => setTrial((now) => now && { ...now, ...change })
    const begunAt = performance.now()
    const elapsed = () => Math.round(performance.now() - begunAt)
    setTrial({ state: 'running', model, text: '' })
    try {
      await follow({ model, text, readKey, signal: gone.signal }, { add, elapsed })
      add({ state: 'done', durationMs: elapsed() })
    } catch (error) {
      if (gone.signal.aborted) add({ state: 'stopped', durationMs: elapsed() })
      else add({ state: 'failed', failure: toFailure(error), durationMs: elapsed() })
    } finally {
      running.current = null
    }
  }

  return { trial, ask, stop: () => running.current?.abort() }
}

type Course = { add: (change: Partial<Trial>) => void; elapsed: () => number }

async function follow(asked: Parameters<typeof askCompletion>[0], { add, elapsed }: Course): Promise<void> {
  const response = await askCompletion(asked)
  add({ requestId: response.headers.get('x-request-id') ?? undefined })
  let text = ''
  let isWhole = false
  for await (const piece of readCompletion(response)) {
    if (piece.text) {
      if (text === '') add({ firstTokenMs: elapsed() })
      text = (text + piece.text).slice(0, maxLength)
      add({ text })
    }
    if (piece.tokens) add({ tokens: piece.tokens })
    isWhole ||= piece.isEnd ?? false
  }
  if (!isWhole) throw brokenOff()
}

function brokenOff(): RequestError {
  return new RequestError({ code: 'broken_off' }, { status: 0 })
}

/** A connection that ends in the middle is the browser’s to complain of, in words that nobody wants to read. */
function toFailure(error: unknown): RequestError {
  return error instanceof TypeError ? brokenOff() : asRequestError(error)
}
