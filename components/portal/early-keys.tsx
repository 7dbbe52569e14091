'use client'

import { useAlive } from '@/components/ui/use-alive'
import { type Asked, pressKey } from './shell-keys'

declare global {
  interface Window {
    earlyKeys?: { asked: Asked; release: () => void }
  }
}

/** Runs as text in the page, so it, too, uses nothing from outside itself. */
function hearEarly(press: typeof pressKey): void {
  const early = { asked: { what: null, typed: '' } as Asked, release }
  function listen(event: KeyboardEvent) {
    early.asked = press(early.asked, event) ?? early.asked
  }
  function release() {
    window.removeEventListener('keydown', listen, true)
  }
  window.addEventListener('keydown', listen, true)
  window.earlyKeys = early
}

/** Hears the shell's keys from when it is drawn until its code has come, which then takes over what was asked for. */
export function EarlyKeys() {
  // The browser's build has the same functions in other words, and no use for them.
  return useAlive() ? null : <script suppressHydrationWarning>{`(${hearEarly})(${pressKey})`}</script>
}

/** What was asked for before the page was alive. Nothing is heard early from here on. */
export function takeEarly(): Asked | null {
  const early = window.earlyKeys
  early?.release()
  delete window.earlyKeys
  return early?.asked.what ? early.asked : null
}
