// The part of the environment that must be known before the application runs: what .env holds, and where to listen.
// Everything else is checked by lib/env.ts.
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { parseEnv } from 'node:util'
import { Problem } from './report.mjs'

/** Reads `.env` into process.env; what is set already wins. Throws Problem, naming the line, for one that is none. */
export function loadEnvironment(file = '.env') {
  if (!existsSync(file)) return
  const text = readText(file)
  requireAssignments(file, text)
  for (const [name, value] of Object.entries(parseEnv(text))) process.env[name] ??= value
}

/** @param {string} file */
function readText(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Problem(`${file} cannot be read (${/** @type {NodeJS.ErrnoException} */ (error).code}).`)
  }
}

/**
 * @param {string} file
 * @param {string} text
 */
function requireAssignments(file, text) {
  const lines = text.split(/\r?\n/)
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]?.trim() ?? ''
    if (line === '' || line.startsWith('#')) continue
    const assignment = /^(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=\s*(.*)$/.exec(line)
    if (!assignment) throw new Problem(`${file}, line ${index + 1}, is not NAME=value.`)
    index = endOfValue(file, lines, index, assignment[1] ?? '')
  }
}

/**
 * The index of the line on which a value ends: quoted ones may go on over several.
 * @param {string} file
 * @param {string[]} lines
 * @param {number} start
 * @param {string} value
 */
function endOfValue(file, lines, start, value) {
  const quote = /^["'`]/.exec(value)?.[0]
  if (!quote || value.indexOf(quote, 1) > 0) return start
  const end = lines.findIndex((line, index) => index > start && line.includes(quote))
  if (end < 0) throw new Problem(`${file}, line ${start + 1}, opens a quote (${quote}) that is never closed.`)
  return end
}

/** Where to listen, from PORT and HOST. Throws Problem when PORT is no port. */
export function readAddress() {
  const port = process.env.PORT || '3000'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535)
    throw new Problem(`PORT is “${port}”, and must be a number from 0 to 65535.`)
  return { port: Number(port), host: process.env.HOST || '127.0.0.1' }
}

/**
 * Throws Problem when nobody can listen there: looked at before anything is installed, built or started.
 * @param {{ port: number, host: string }} address
 */
export function requireFreeAddress(address) {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error) => reject(explainListening(address, error)))
    probe.listen(address.port, address.host, () => probe.close(resolve))
  })
}

/**
 * @param {{ port: number, host: string }} address
 * @param {NodeJS.ErrnoException} error
 */
export function explainListening({ port, host }, error) {
  switch (error.code) {
    case 'EADDRINUSE':
      return new Problem(
        `Port ${port} on ${host} is taken: stop the program that uses it, or set another PORT.`,
      )
    case 'EACCES':
      return new Problem(`This user may not listen on port ${port}: set PORT to 1024 or above.`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new Problem(`HOST is “${host}”, which is no address of this machine: try 127.0.0.1 or 0.0.0.0.`)
    default:
      return new Problem(`AL-Chat cannot listen on ${host}:${port} (${error.code}).`)
  }
}
