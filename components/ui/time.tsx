'use client'

import { useSyncExternalStore } from 'react'

const minuteMs = 60_000

let minute = 0
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(() => {
    for (const notify of listeners) notify()
  }, minuteMs)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

const readMinute = () => {
  minute = Math.floor(Date.now() / minuteMs)
  return minute
}

/** The day in UTC: what the server draws, since it knows neither the reader's clock nor their zone. */
function sayDay(date: Date): string {
  return new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeZone: 'UTC' }).format(date)
}

function sayDistance(date: Date): string {
  const minutes = Math.round((Date.now() - date.getTime()) / minuteMs)
  if (minutes < 1) return 'Just now'
  if (minutes < 60) return `${minutes} min ago`
  if (minutes < 24 * 60) return `${Math.round(minutes / 60)} h ago`
  if (minutes < 7 * 24 * 60) return `${Math.round(minutes / (24 * 60))} d ago`
  return new Intl.DateTimeFormat('en', { dateStyle: 'medium' }).format(date)
}

/** A moment as people say it (`3 min ago`), exact on hover; keeps up with the clock. */
export function Time({ at }: { at: string }) {
  const now = useSyncExternalStore(subscribe, readMinute, () => 0)
  const date = new Date(at)
  return (
    <time
      dateTime={at}
      title={now === 0 ? undefined : date.toLocaleString('en')}
      className="whitespace-nowrap"
    >
      {now === 0 ? sayDay(date) : sayDistance(date)}
    </time>
  )
}
