'use client'

import { useEffect, useRef, useState } from 'react'
import type { ColouredRun, ColouringAnswer, ColouringRequest } from './highlight'

type Listener = (answer: ColouringAnswer) => void

let worker: Worker | undefined
let lastBlock = 0
const listeners = new Map<number, Listener>()

function ask(request: ColouringRequest): void {
  if (!worker) {
    worker = new Worker(new URL('./highlight-worker.ts', import.meta.url), { type: 'module' })
    worker.addEventListener('message', ({ data }: MessageEvent<ColouringAnswer>) =>
      listeners.get(data.block)?.(data),
    )
    // Without colours the code is still there.
    worker.addEventListener('error', (event) => event.preventDefault())
  }
  worker.postMessage(request)
}

/** The runs of each line as far as they are known; asks for what is new since the last time. */
export function useColours(
  lines: readonly string[],
  language: string,
  wanted: boolean,
): readonly ColouredRun[][] {
  const [coloured, setColoured] = useState<readonly ColouredRun[][]>([])
  const block = useRef(0)
  const sent = useRef<readonly string[]>([])
  const isOn = wanted && language !== ''

  useEffect(() => {
    if (!isOn) return
    lastBlock += 1
    const id = lastBlock
    block.current = id
    sent.current = []
    listeners.set(id, ({ from, lines: news }) => setColoured((known) => [...known.slice(0, from), ...news]))
    return () => {
      listeners.delete(id)
      ask({ block: id, language, from: 0, lines: null })
    }
  }, [isOn, language])

  useEffect(() => {
    if (!isOn) return
    const changedAt = sent.current.findIndex((line, index) => line !== lines[index])
    const from = changedAt === -1 ? sent.current.length : changedAt
    sent.current = lines
    if (from < lines.length) ask({ block: block.current, language, from, lines: lines.slice(from) })
  }, [isOn, language, lines])
  return coloured
}
