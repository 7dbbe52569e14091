import { AppError } from '@/lib/errors'

type Fault = { sign: RegExp; code: 'unavailable' | 'storage_full'; tell: (dataDir: string) => string }

// What Postgres, initdb and the file system say, and what a person needs to know.
const faults: Fault[] = [
  {
    sign: /No space left on device|ENOSPC|Disk quota exceeded|EDQUOT/,
    code: 'storage_full',
    tell: (dataDir) => `The disk that holds ${dataDir} is full: free some space, then start again.`,
  },
  {
    sign: /lock file "postmaster.pid" already exists/,
    code: 'unavailable',
    tell: (dataDir) => `Another server is using ${dataDir}: stop it first, or set another DATA_DIR.`,
  },
  {
    sign: /Read-only file system|EROFS/,
    code: 'unavailable',
    tell: (dataDir) => `${dataDir} is on a read-only disk: set DATA_DIR to a folder that can be written.`,
  },
  {
    sign: /Permission denied|EACCES|EPERM|Operation not permitted/,
    code: 'unavailable',
    tell: (dataDir) =>
      `${dataDir} cannot be written by this user: change its owner, or set another DATA_DIR.`,
  },
  {
    sign: /ENOTDIR|EEXIST|Not a directory/,
    code: 'unavailable',
    tell: (dataDir) => `${dataDir} is not a folder: move the file away, or set another DATA_DIR.`,
  },
  {
    sign: /user does not exist|could not look up effective user/,
    code: 'unavailable',
    tell: () =>
      'This user id has no entry in /etc/passwd, which Postgres needs: add one, or set DATABASE_URL.',
  },
]

/** One line for the person who starts the server, from what Postgres or the system reported. */
export function explainFault(dataDir: string, report: string, cause?: unknown): AppError {
  const fault = faults.find(({ sign }) => sign.test(report))
  if (fault) return new AppError(fault.code, fault.tell(dataDir), { cause })
  const said = lastComplaint(report)
  return new AppError('unavailable', `The database in ${dataDir} does not start: ${said}`, { cause })
}

function lastComplaint(report: string): string {
  const lines = report.split('\n').filter((line) => line.trim())
  const complaint = lines.findLast((line) => /FATAL|PANIC|error/i.test(line)) ?? lines.at(-1)
  return complaint?.replace(/^.*?(FATAL|PANIC|error):\s*/i, '').trim() ?? 'it said nothing.'
}
