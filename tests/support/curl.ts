import { type ChildProcess, spawn } from 'node:child_process'

/** What curl wrote, and how it ended. */
export type Curled = { code: number | null; out: Buffer; errors: string }

/** `scripts/curl.mjs` provides it for `npm test`. */
const program = process.env.CURL_PATH ?? 'curl'

/** Nothing of this machine's user: no settings, no proxy. */
const always = ['--disable', '--noproxy', '*', '--silent', '--show-error', '--max-time', '60']

/** A curl that runs: its process, to be written to or read from, and its end. Rejects where there is no curl. */
export function startCurl(args: string[]): { child: ChildProcess; ended: Promise<Curled> } {
  const child = spawn(program, [...always, ...args])
  const out: Buffer[] = []
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk
  })
  const ended = new Promise<Curled>((resolve, reject) => {
    child.once('error', () =>
      reject(new Error(`There is no curl at “${program}”. Install one, or set CURL_PATH.`)),
    )
    child.once('close', (code) => resolve({ code, out: Buffer.concat(out), errors }))
  })
  return { child, ended }
}

/** An answer as `curl -i` shows it. */
export type Shown = { status: number; version: string; headers: Headers; body: string }

/** Runs `curl -i` to its end; `input` is what it reads from its standard input. Throws where curl fails. */
export async function curl(args: string[], input?: string): Promise<Shown> {
  const { child, ended } = startCurl(['--include', ...args])
  child.stdin?.end(input)
  const { code, out, errors } = await ended
  if (code !== 0) throw new Error(`curl ended with ${code}: ${errors}`)
  return readShown(out.toString())
}

/** The last head and its body: interim answers come before it. */
function readShown(text: string): Shown {
  const end = text.indexOf('\r\n\r\n')
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const [version = '', status = ''] = first.split(' ')
  const rest = text.slice(end + 4)
  if (status === '100') return readShown(rest)
  const headers = new Headers(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trim()]
    }),
  )
  return { status: Number(status), version, headers, body: rest }
}
