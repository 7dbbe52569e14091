import { readFile } from 'node:fs/promises'
import { parentPort } from 'node:worker_threads'
import { getDocumentProxy } from 'unpdf'

/** What a thread that reads a PDF is asked. */
export type PdfJob = { path: string; maxCharacters: number }

/** What it found: the text of the first pages, or why there is none. */
export type PdfText = { text: string; isCut: boolean } | { failure: 'locked' | 'unreadable' }

parentPort?.once('message', async (job: PdfJob) => {
  parentPort?.postMessage(await read(job).catch(explain))
})

async function read({ path, maxCharacters }: PdfJob): Promise<PdfText> {
  const document = await getDocumentProxy(new Uint8Array(await readFile(path)), { verbosity: 0 })
  let text = ''
  for (let page = 1; page <= document.numPages; page++) {
    const { items } = await (await document.getPage(page)).getTextContent()
    for (const item of items) if ('str' in item) text += item.hasEOL ? `${item.str}\n` : item.str
    text += '\n'
    if (text.length > maxCharacters) return { text: text.slice(0, maxCharacters), isCut: true }
  }
  return { text: text.trim(), isCut: false }
}

function explain(error: unknown): PdfText {
  const isLocked = error instanceof Error && error.name === 'PasswordException'
  return { failure: isLocked ? 'locked' : 'unreadable' }
}
