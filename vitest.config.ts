import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

const shared = { resolve: { alias: { '@': resolve(import.meta.dirname) } } }

/** Patience for tests that start whole servers, on a machine that may be busy. */
const STARTING_MS = 120_000

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['tests/unit/**/*.test.ts'],
          globalSetup: ['tests/support/database-setup.ts', 'tests/support/canary-setup.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'api',
          include: ['tests/api/**/*.test.ts'],
          globalSetup: ['tests/support/database-setup.ts', 'tests/support/canary-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: STARTING_MS,
          maxWorkers: 2,
        },
      },
      {
        ...shared,
        test: {
          name: 'start',
          include: ['tests/start/**/*.test.ts'],
          globalSetup: 'tests/support/canary-setup.ts',
          testTimeout: STARTING_MS,
          hookTimeout: STARTING_MS,
          fileParallelism: false,
        },
      },
    ],
  },
})
