import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'

/** A process that can be told from a later one with the same number: when it started, in the system's own terms. */
export type ProcessIdentity = { pid: number; started: string }

/** The identity of a running process, or undefined when there is none with this number. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const started = process.platform === 'linux' ? startTicks(pid) : askPs(pid, 'lstart=')
  return started ? { pid, started } : undefined
}

/** Whether that very process still runs, and not another that got its number. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.started === identity.started
}

/** The command line of a process with spaces between the arguments; empty when it cannot be read. */
export function commandOf(pid: number): string {
  if (process.platform !== 'linux') return askPs(pid, 'command=')
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

/** The working folder of a process; undefined when the system does not tell. */
export function folderOf(pid: number): string | undefined {
  try {
    return process.platform === 'linux' ? readlinkSync(`/proc/${pid}/cwd`) : undefined
  } catch {
    return undefined
  }
}

function startTicks(pid: number): string | undefined {
  try {
    const fields = afterCommandName(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    // A dead process that nobody has waited for yet holds nothing any more.
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${bootId()}/${fields[19]}`
  } catch {
    return undefined
  }
}

// The command name may hold spaces and brackets, so the fields are counted from its last bracket.
function afterCommandName(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

function askPs(pid: number, field: string): string {
  try {
    return execFileSync('ps', ['-p', String(pid), '-o', field], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return ''
  }
}
