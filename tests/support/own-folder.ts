import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A new folder, and how to remove it. `npm test` puts all of them into one that it removes in the end. */
export function makeOwnFolder(name: string): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `al-chat-${name}-`))
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) }
}
