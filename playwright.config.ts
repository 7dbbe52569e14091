import { defineConfig } from '@playwright/test'
import { locateChromium } from './scripts/chromium.mjs'

const isRoot = process.getuid?.() === 0

export default defineConfig({
  testDir: 'tests/e2e',
  globalSetup: './tests/support/canary-setup.ts',
  outputDir: process.env.AL_TEST_RUN ? `${process.env.AL_TEST_RUN}/playwright` : 'test-results',
  // Bounds for what hangs, not for a machine that is busy for a while.
  timeout: 240_000,
  expect: { timeout: 30_000 },
  fullyParallel: false,
  workers: 2,
  use: {
    browserName: 'chromium',
    launchOptions: {
      executablePath: locateChromium(),
      chromiumSandbox: !isRoot,
      // Chromium's own calls home would be tried again and again on a machine without a way out.
      args: [
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-quic',
      ],
    },
    trace: 'off',
  },
})
