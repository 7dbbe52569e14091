import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** A disk of its own under a folder, to be filled up. */
export type SmallDisk = { path: string; fill(): void; empty(): void; remove(): void }

const block = Buffer.alloc(256 * 1024, 1)

/** Mounts a disk of so many MB at `path`; null where this user may not. */
export function mountSmallDisk(path: string, megabytes: number): SmallDisk | null {
  mkdirSync(path)
  const mount = `mount -t tmpfs -o size=${megabytes}m tmpfs '${path}'`
  if (spawnSync('sh', ['-c', mount]).status !== 0) return null
  const filler = join(path, 'filler')
  return {
    path,
    fill: () => fillUp(filler),
    empty: () => rmSync(filler, { force: true }),
    remove: () => void spawnSync('sh', ['-c', `umount '${path}'`]),
  }
}

function fillUp(filler: string): void {
  const file = openSync(filler, 'a')
  try {
    for (;;) writeSync(file, block)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(file)
  }
}
