// Programs that the tests need and that Debian has, installed where this user may: as root, or by sudo without a password.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { step } from './report.mjs'

/**
 * Does nothing where it cannot. Throws where an install fails.
 * @param {string} title what is said meanwhile
 * @param {string} name of the package
 * @param {RegExp} systems whose packages will do, by their lines in os-release
 */
export async function installFromDebian(title, name, systems = /^ID=debian$/m) {
  if (!existsSync('/usr/bin/apt-get') || !readFileSync('/etc/os-release', 'utf8').match(systems)) return
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  if (sudo.length > 0 && !mayUseSudo()) return
  await step(title, async () => {
    await runLoudly([...sudo, 'apt-get', 'update', '-q'])
    await runLoudly([...sudo, 'apt-get', 'install', '-q', '-y', '--no-install-recommends', name])
  })
}

function mayUseSudo() {
  try {
    execFileSync('sudo', ['-n', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** @param {string[]} command */
function runLoudly([program = '', ...args]) {
  const child = spawn(program, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  return new Promise((done, fail) => {
    child.once('error', fail)
    child.once('close', (code) =>
      code === 0 ? done(undefined) : fail(new Error(`${program} ended with ${code}`)),
    )
  })
}
