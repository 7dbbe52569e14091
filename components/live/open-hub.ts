import { hubName } from './protocol'

/** A way to a hub, which may be the hub of all tabs or this page's own. */
export type HubLine = { port: MessagePort; isShared: boolean }

/** Before the hub's code is asked for again, in milliseconds. */
const reloadAfterMs = 5000

// A browser that cannot run the worker is not asked twice.
let canShare = typeof SharedWorker === 'function'

/** Opens the hub of this user's browser, or, where it has no shared workers, one in this page. */
export function openHub(userId: string, onFailure: () => void): HubLine {
  const shared = canShare ? openSharedHub(userId, onFailure) : undefined
  return shared ?? openOwnHub(userId, onFailure)
}

function openSharedHub(userId: string, onFailure: () => void): HubLine | undefined {
  try {
    const worker = new SharedWorker(new URL('./hub-worker.ts', import.meta.url), {
      type: 'module',
      name: hubName(userId),
    })
    worker.onerror = (event) => {
      event.preventDefault()
      canShare = false
      onFailure()
    }
    return { port: worker.port, isShared: true }
  } catch {
    canShare = false
    return undefined
  }
}

function openOwnHub(userId: string, onFailure: () => void): HubLine {
  const { port1, port2 } = new MessageChannel()
  import('./hub').then(
    ({ Hub }) => new Hub(userId).serve(port2),
    // The network is away, and comes back.
    () => setTimeout(onFailure, reloadAfterMs),
  )
  return { port: port1, isShared: false }
}
