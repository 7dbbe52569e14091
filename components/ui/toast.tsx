'use client'

import dynamic from 'next/dynamic'
import { useEffect, useSyncExternalStore } from 'react'
import { sayFailure } from './failure'
import { asRequestError } from './request'
import type { ToastManager } from './toast-list'

// What toasts are made of is not part of a page's first load; until they can be shown, they wait here.
const loadList = () => import('./toast-list')
const ToastViewport = dynamic(() => loadList().then((module) => module.ToastViewport))

/** How long after a page's start it is fetched: most of what toasts say is said when the network is away. */
const preloadMs = 1500

let manager: ToastManager | undefined
const waiting: ((toasts: ToastManager) => void)[] = []
const listeners = new Set<() => void>()

function withToasts(use: (toasts: ToastManager) => void): void {
  if (manager) {
    use(manager)
    return
  }
  waiting.push(use)
  for (const listener of listeners) listener()
}

function begin(toasts: ToastManager): void {
  manager = toasts
  for (const use of waiting.splice(0)) use(toasts)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

const isWanted = () => manager !== undefined || waiting.length > 0

/** Where toasts appear. Stands once, in the portal's layout. */
export function Toaster() {
  const wanted = useSyncExternalStore(subscribe, isWanted, () => false)
  useEffect(() => {
    const timer = setTimeout(() => loadList().catch(() => {}), preloadMs)
    return () => clearTimeout(timer)
  }, [])
  return wanted ? <ToastViewport onReady={begin} /> : null
}

type Notice = { title: string; description?: string; action?: { label: string; onPress: () => void } }

/** Says something that was done, for 5 s, politely. */
export function notify({ title, description, action }: Notice): void {
  withToasts((toasts) => {
    const id: string = toasts.add({
      title,
      description,
      actionProps: action && {
        children: action.label,
        onClick: () => {
          toasts.close(id)
          action.onPress()
        },
      },
    })
  })
}

/** Says that something failed: what, why, and the request id; stays for 10 s. */
export function notifyFailure(title: string, error: unknown): void {
  const { message, requestId, retryAfterSeconds } = asRequestError(error)
  const id = requestId ? ` Request ${requestId}.` : ''
  const description = `${sayFailure(message, retryAfterSeconds)}${id}`
  withToasts((toasts) => {
    toasts.add({ title, description, type: 'failure', priority: 'high', timeout: 10_000 })
  })
}

type Undoable = {
  /** What is gone, such as `Deleted “Research”`. */
  title: string
  /** Does it on the server. With `leaving`, the page is going away: send with keepalive. */
  commit: (leaving: boolean) => Promise<void>
  /** Puts back what the page has already hidden: after Undo, and when the commit failed. */
  restore: () => void
}

/** The time in which a deletion can be taken back, in milliseconds. */
const undoTimeMs = 10_000

/**
 * Deletes after 10 s unless taken back: hide the thing first, then call this.
 * Leaving the page commits at once; a failed commit is said and the thing put back.
 */
export function offerUndo({ title, commit, restore }: Undoable): void {
  let settled = false
  const settle = (undo: boolean, leaving = false) => {
    if (settled) return
    settled = true
    window.removeEventListener('pagehide', leave)
    if (undo) return restore()
    commit(leaving).catch((error: unknown) => {
      restore()
      notifyFailure('This could not be deleted', error)
    })
  }
  const leave = () => settle(false, true)
  window.addEventListener('pagehide', leave)
  withToasts((toasts) => showUndo(toasts, title, settle))
}

function showUndo(toasts: ToastManager, title: string, settle: (undo: boolean) => void): void {
  const id: string = toasts.add({
    title,
    timeout: undoTimeMs,
    onClose: () => settle(false),
    actionProps: {
      children: 'Undo',
      onClick: () => {
        settle(true)
        toasts.close(id)
      },
    },
  })
}
