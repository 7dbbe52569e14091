const store = globalThis as typeof globalThis & { __alChat?: Map<string, unknown> }

/**
 * The one instance of something in this process, made at the first call.
 * Next gives server components their own copy of a module's state (measured on 16.4.6), and `next dev`
 * reloads modules; what must exist once hangs on globalThis.
 */
export function remember<T>(key: string, create: () => T): T {
  store.__alChat ??= new Map()
  if (!store.__alChat.has(key)) store.__alChat.set(key, create())
  return store.__alChat.get(key) as T
}
