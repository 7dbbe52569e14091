import { readdirSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'

const app = resolve(import.meta.dirname, '../../app')

/** The URL of every `app/**\/route.ts`, as its folders say it: `/api/projects/[projectId]`. */
export function listRoutes(): string[] {
  return readdirSync(app, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^route\.tsx?$/.test(entry.name))
    .map((entry) => relative(app, join(entry.parentPath)))
    .map(
      (path) =>
        `/${path
          .split(sep)
          .filter((folder) => !/^\(.*\)$/.test(folder))
          .join('/')}`,
    )
    .sort()
}
