// node --import ./scripts/typescript.mjs FILE: lets plain Node run the product's own modules, whose imports
// name no extension and may begin with `@/`. Node itself strips the types.
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'

const root = pathToFileURL(`${process.cwd()}/`).href

registerHooks({
  resolve(specifier, context, nextResolve) {
    const path = specifier.startsWith('@/') ? new URL(specifier.slice(2), root).href : specifier
    const isPackage = context.parentURL?.includes('/node_modules/')
    if (isPackage || !/^(\.|file:)/.test(path) || /\.[a-z]+$/.test(path)) return nextResolve(path, context)
    return nextResolve(`${path}.ts`, context)
  },
})
