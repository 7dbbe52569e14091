import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

const shared = { resolve: { alias: { '@': resolve(import.meta.dirname) } } }

/** Bounds for what hangs, not for a machine that is busy for a while. */
const patience = { testTimeout: 240_000, hookTimeout: 240_000, expect: { poll: { timeout: 15_000 } } }

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['tests/unit/**/*.test.ts'],
          globalSetup: ['tests/support/database-setup.ts', 'tests/support/canary-setup.ts'],
          ...patience,
        },
      },
      {
        ...shared,
        test: {
          name: 'api',
          include: ['tests/api/**/*.test.ts'],
          globalSetup: ['tests/support/database-setup.ts', 'tests/support/canary-setup.ts'],
          ...patience,
          maxWorkers: 2,
        },
      },
      {
        ...shared,
        test: {
          name: 'start',
          include: ['tests/start/**/*.test.ts'],
          globalSetup: 'tests/support/canary-setup.ts',
          ...patience,
          testTimeout: 360_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
