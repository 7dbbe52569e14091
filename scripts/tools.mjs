// Runs the programs that the set-up needs: npm, and the project's own tools under a Node that is new enough for them.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'
import { diskFull, Problem } from './report.mjs'

const NEEDED = { major: 22, minor: 12 }
const OWN_NODE = resolve('node_modules/.bin/node')
const TOLD_LINES = 20

/** @param {string} version such as v24.1.0 */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace('v', '').split('.').map(Number)
  return major > NEEDED.major || (major === NEEDED.major && minor >= NEEDED.minor)
}

/** The Node that runs the application: the one from the packages, else this one. Throws Problem when neither will do. */
export function findNode() {
  if (existsSync(OWN_NODE) && isNewEnough(versionOf(OWN_NODE))) return OWN_NODE
  if (isNewEnough(process.version)) return process.execPath
  throw new Problem(
    `npm brought no Node 24 for ${process.platform}-${process.arch}: install Node ≥ ${NEEDED.major}.${NEEDED.minor} and start again.`,
  )
}

/** @param {string} node */
function versionOf(node) {
  try {
    return execFileSync(node, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return '' // Made for another machine, say in a folder that two share.
  }
}

/**
 * Runs npm itself, under the Node that started it and not the one in node_modules, which npm may be replacing.
 * @param {string[]} args
 */
export function runNpm(args) {
  const npm = process.env.npm_execpath
  if (!npm) return run('npm', args, {})
  return run(process.env.npm_node_execpath ?? process.execPath, [npm, ...args], {})
}

/**
 * Runs a JavaScript tool of the project.
 * @param {string} script
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 */
export function runTool(script, args, env = {}) {
  return run(findNode(), [resolve('node_modules', script), ...args], env)
}

/**
 * Throws Problem with the last lines that the program wrote when it fails.
 * @param {string} program
 * @param {string[]} args
 * @param {Record<string, string>} env
 * @returns {Promise<string>} what it wrote
 */
function run(program, args, env) {
  const path = [resolve('node_modules/.bin'), process.env.PATH].join(delimiter)
  const child = spawn(program, args, {
    env: { ...process.env, ...env, PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  /** @type {Buffer[]} */
  const output = []
  child.stdout.on('data', (chunk) => output.push(chunk))
  child.stderr.on('data', (chunk) => output.push(chunk))
  return new Promise((done, fail) => {
    child.once('error', (error) => fail(new Problem(`${program} does not run: ${error.message}`)))
    child.once('close', (code, signal) => {
      const text = Buffer.concat(output).toString('utf8')
      if (code === 0) return done(text)
      if (/ENOSPC|No space left on device/.test(text)) return fail(new Problem(diskFull()))
      fail(
        new Problem(
          `${[program, ...args].join(' ')} failed (${signal ?? `exit ${code}`}):\n${shorten(text)}`,
        ),
      )
    })
  })
}

// The cause stands first with npm, and last with most others.
/** @param {string} text */
function shorten(text) {
  const lines = text.split('\n').filter((line) => line.trim() && !line.startsWith('npm warn'))
  if (lines.length <= 2 * TOLD_LINES) return lines.join('\n')
  return [...lines.slice(0, TOLD_LINES), '…', ...lines.slice(-TOLD_LINES)].join('\n')
}
