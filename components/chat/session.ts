import type { SessionStarted } from '@/lib/contracts/sessions'
import { RequestError, request } from '../ui/request'

/*
 * The session of this tab: it begins when the tab first shows a chat, lasts while its pages change and are loaded
 * again, and ends when the tab is closed or goes elsewhere. It is a record, and never in the way: where the server does
 * not take it, the chat goes on without.
 */

type TabSession = { id: string; startedAt: number; reloads: number }

/** Only between a page that goes and the next one of its tab; so a duplicated tab takes no session along. */
const handoverKey = 'al-chat-session'
/** A tab that is left open for days begins a new one each time that somebody comes back to it. */
const renewAfterMs = 12 * 3_600_000

/** What the page before said as it went is there by then. */
const settleMs = 1000

let session: TabSession | null = null
let starting: Promise<void> | null = null
let isListening = false

/** Begins the tab's session, or goes on with that of the page before. */
export function openSession(): void {
  listen()
  if (session || starting) return
  const before = takeHandedOver()
  starting = (before ? goOn(before) : start())
    // Nobody waits for it; the next chat that is opened tries again.
    .catch(() => undefined)
    .finally(() => {
      starting = null
    })
}

/** Ends the session and begins another. Throws RequestError where the server does not take it. */
export async function renewSession(): Promise<void> {
  await starting
  const ending = session
  session = null
  if (ending) await request('POST', '/api/session/stop', { session_id: ending.id })
  await start()
}

async function start(): Promise<void> {
  const { session_id: id } = await request<SessionStarted>('POST', '/api/session/start', {
    metadata: { client: 'AL-Chat', language: navigator.language, screen: `${innerWidth}×${innerHeight}` },
  })
  session = { id, startedAt: Date.now(), reloads: 0 }
}

/** A page that is back soon is still in its session: the server is told so, and ends it otherwise. */
async function goOn(before: TabSession): Promise<void> {
  const reloads = before.reloads + 1
  // At once, so that a page that goes again takes it along.
  session = { ...before, reloads }
  await new Promise((done) => setTimeout(done, settleMs))
  if (session?.id !== before.id) return
  try {
    await request('POST', '/api/session/metric', { session_id: before.id, metrics: { reloads } })
  } catch (error) {
    // It ended before this page was back.
    const isOver = error instanceof RequestError && [404, 409].includes(error.status)
    if (isOver && session?.id === before.id) await start()
  }
}

function listen(): void {
  if (isListening) return
  isListening = true
  window.addEventListener('pagehide', leave)
  window.addEventListener('pageshow', ({ persisted }) => persisted && openSession())
  document.addEventListener('visibilitychange', renewIfOld)
}

/** A page that goes cannot tell whether it is loaded again. */
function leave(): void {
  if (!session) return
  const left = { session_id: session.id }
  const deed = handOver(session) ? 'leave' : 'stop'
  request('POST', `/api/session/${deed}`, left, { keepalive: true }).catch(() => undefined)
  session = null
}

function renewIfOld(): void {
  if (document.visibilityState !== 'visible' || !session) return
  if (Date.now() - session.startedAt > renewAfterMs) renewSession().catch(() => undefined)
}

function handOver(ending: TabSession): boolean {
  try {
    sessionStorage.setItem(handoverKey, JSON.stringify(ending))
    return true
  } catch {
    // Storage that is switched off or full.
    return false
  }
}

function takeHandedOver(): TabSession | null {
  try {
    const handed = JSON.parse(sessionStorage.getItem(handoverKey) ?? 'null') as TabSession | null
    sessionStorage.removeItem(handoverKey)
    return handed
  } catch {
    // Storage that is switched off, or filled with something else.
    return null
  }
}
