// Lets plain Node run this project's TypeScript: `node --import ./tests/support/run-typescript.mjs file.ts`.
import { existsSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = new URL('../../', import.meta.url)

registerHooks({
  resolve(specifier, context, nextResolve) {
    const base = specifier.startsWith('@/')
      ? new URL(specifier.slice(2), root)
      : specifier.startsWith('.') && context.parentURL
        ? new URL(specifier, context.parentURL)
        : undefined
    const file = base && `${fileURLToPath(base)}.ts`
    return nextResolve(file && existsSync(file) ? pathToFileURL(file).href : specifier, context)
  },
})
