type Params = Record<string, string | string[] | undefined>
type Handler = (request: Request, context: { params: Promise<Params> }) => Promise<Response>

/** What a route file exports: its methods, by name. */
export type RouteFile = { readonly [method: string]: Handler | undefined }

/** Who answers a method at a path; null where that is left to Next. */
export type FindHandler = (method: string, path: string) => ((request: Request) => Promise<Response>) | null

type Found = { file: RouteFile; params: Params }

/** What means the same to everybody. Anything else in a path is encoded, normalised or led elsewhere by Next. */
const plainPath = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~:@+-]+)+$/

/**
 * Finds handlers as Next does, from the route files by the paths of their folders (`/models/[...model]`). It knows the
 * methods that a file exports, and `HEAD` where there is `GET`; paths that Next would take apart first are Next's.
 */
export function dispatchTo(files: Readonly<Record<string, RouteFile>>): FindHandler {
  const fixed = new Map<string, RouteFile>()
  const patterns: Pattern[] = []
  for (const [folder, file] of Object.entries(files)) {
    if (folder.includes('[')) patterns.push(new Pattern(folder, file))
    else fixed.set(folder, file)
  }
  patterns.sort((one, other) => (one.rank < other.rank ? -1 : 1))
  const find = (path: string): Found | null => {
    const file = fixed.get(path)
    if (file) return { file, params: {} }
    for (const pattern of patterns) {
      const params = pattern.match(path)
      if (params) return { file: pattern.file, params }
    }
    return null
  }
  return (method, path) => {
    const found = plainPath.test(path) ? find(path) : null
    if (!found) return null
    const { file, params } = found
    const name = method === 'HEAD' && !file.HEAD ? 'GET' : method
    const handle = Object.hasOwn(file, name) ? file[name] : undefined
    return handle ? (request) => handle(request, { params: Promise.resolve(params) }) : null
  }
}

/** A path with places for parameters: `[id]` for one part, `[...name]` for one or more, `[[...name]]` for any number. */
class Pattern {
  readonly file: RouteFile
  /** In the order of these texts, the closer pattern comes first. */
  readonly rank: string
  readonly #parts: string[]

  constructor(folder: string, file: RouteFile) {
    this.file = file
    this.#parts = folder.split('/').slice(1)
    this.rank = this.#parts.map((part) => `${rankOf(part)}`).join('')
  }

  match(path: string): Params | null {
    const given = path.split('/').slice(1)
    const params: Params = {}
    for (const [at, part] of this.#parts.entries()) {
      const rest = /^\[?\[\.\.\.(\w+)\]\]?$/.exec(part)?.[1]
      if (rest !== undefined) {
        if (given.length > at) params[rest] = given.slice(at)
        return given.length > at || part.startsWith('[[') ? params : null
      }
      const one = /^\[(\w+)\]$/.exec(part)?.[1]
      const said = given[at]
      if (said === undefined || (one === undefined && said !== part)) return null
      if (one !== undefined) params[one] = said
    }
    return given.length === this.#parts.length ? params : null
  }
}

function rankOf(part: string): number {
  if (part.startsWith('[[')) return 3
  if (part.startsWith('[...')) return 2
  return part.startsWith('[') ? 1 : 0
}
