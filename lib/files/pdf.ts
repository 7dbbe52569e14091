import { Worker } from 'node:worker_threads'
import { log } from '../log'
import { remember } from '../remember'
import { pathOf } from './folder'
import type { PdfJob, PdfText } from './pdf-reader'

const maxThreads = 2
const patienceMs = 20_000
const maxHeapMegabytes = 512
/** Texts that were read lately: a conversation asks for the same one with every question. */
const maxKept = 32

type Reading = { running: number; waiting: (() => void)[]; kept: Map<string, Promise<PdfText>> }

const reading = () => remember('files.pdf', (): Reading => ({ running: 0, waiting: [], kept: new Map() }))

/**
 * The text of a stored PDF, at most so many characters of it, read in a thread of its own within 20 s and 512 MB:
 * a hostile file ends its thread and nothing else. Never throws.
 */
export function readPdf(fileId: string, maxCharacters: number): Promise<PdfText> {
  const { kept } = reading()
  const known = kept.get(fileId)
  if (known) return known
  const [oldest] = kept.size >= maxKept ? kept.keys() : []
  if (oldest !== undefined) kept.delete(oldest)
  const text = takeTurn(() => readInThread({ path: pathOf(fileId), maxCharacters }))
  kept.set(fileId, text)
  return text
}

async function takeTurn<T>(work: () => Promise<T>): Promise<T> {
  const state = reading()
  if (state.running >= maxThreads) await new Promise<void>((go) => state.waiting.push(go))
  else state.running += 1
  try {
    return await work()
  } finally {
    const next = state.waiting.shift()
    if (next) next()
    else state.running -= 1
  }
}

function readInThread(job: PdfJob): Promise<PdfText> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./pdf-reader.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMegabytes },
    })
    const end = (text: PdfText) => {
      clearTimeout(timer)
      void worker.terminate()
      resolve(text)
    }
    const timer = setTimeout(() => end({ failure: 'unreadable' }), patienceMs)
    worker.once('message', end)
    worker.once('error', (err) => {
      log().warn({ err }, 'a PDF could not be read')
      end({ failure: 'unreadable' })
    })
    worker.postMessage(job)
  })
}
