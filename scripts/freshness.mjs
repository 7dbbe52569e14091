// What was made from what: a stamp beside each product holds the hash of its sources.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * One product: it is fresh while its stamp holds the hash of its sources and `extra`.
 * @typedef {{ stamp: string, sources: string[], extra?: string }} Product
 */

/** @type {Product} */
export const packages = {
  stamp: 'node_modules/.al-chat-stamp',
  sources: ['package-lock.json', 'package.json'],
}

/** @type {Product} */
export const databaseClient = {
  stamp: 'lib/db/generated/.al-chat-stamp',
  sources: ['prisma/schema.prisma', 'prisma.config.ts', 'package-lock.json'],
}

/** Whether npm's own note of what it installed, say by a developer's `npm install`, has all that the lock file asks for. */
export function isInstalled() {
  const installed = readPackages('node_modules/.package-lock.json')
  return Object.entries(readPackages('package-lock.json')).every(
    ([path, wanted]) => path === '' || wanted.optional || installed[path]?.version === wanted.version,
  )
}

/**
 * @param {string} file
 * @returns {Record<string, { version: string, optional?: boolean }>}
 */
function readPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {}
}

/**
 * The built pages in `distDir`.
 * @param {string} distDir
 * @returns {Product}
 */
export function build(distDir) {
  return {
    stamp: join(distDir, 'al-chat-stamp'),
    extra: distDir,
    sources: [
      ...[
        'app',
        'components',
        'lib',
        'public',
        'instrumentation.ts',
        'instrumentation-client.ts',
        'proxy.ts',
      ],
      ...['next.config.ts', 'tailwind.config.ts', 'postcss.config.mjs', 'tsconfig.json'],
      ...['prisma/schema.prisma', 'package-lock.json'],
    ],
  }
}

/** @param {Product} product */
export function isFresh(product) {
  return existsSync(product.stamp) && readFileSync(product.stamp, 'utf8') === hashSources(product)
}

/**
 * Makes a product anew; it counts as fresh only when that succeeded, and only for the sources as they were before.
 * @param {Product} product
 * @param {() => Promise<unknown>} make
 */
export async function remake(product, make) {
  const hash = hashSources(product)
  rmSync(product.stamp, { force: true })
  await make()
  mkdirSync(dirname(product.stamp), { recursive: true })
  writeFileSync(product.stamp, hash)
}

/** @param {Product} product */
function hashSources({ sources, extra = '' }) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${extra}`)
  for (const source of sources)
    for (const file of listFiles(source)) hash.update(`\0${file}\0`).update(readFileSync(file))
  return hash.digest('hex')
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function listFiles(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return []
  if (!stat.isDirectory()) return [path]
  return readdirSync(path)
    .sort()
    .filter((name) => name !== 'generated')
    .flatMap((name) => listFiles(join(path, name)))
}
