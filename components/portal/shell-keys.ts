export type ShellDialog = 'palette' | 'shortcuts'

/** What the keyboard has asked for last, and what was typed for the palette before it was there. */
export type Asked = { what: ShellDialog | 'new-chat' | null; typed: string }

/**
 * What is asked for once this key is pressed, or null where it is no key of the shell's. The server writes this function
 * into its pages as text (see EarlyKeys): it uses nothing from outside itself.
 */
export function pressKey(asked: Asked, event: KeyboardEvent): Asked | null {
  const { key, target } = event
  const withCommand = event.metaKey || event.ctrlKey
  const isIn = (places: string) => target instanceof Element && target.closest(places) !== null

  // Until the palette has the focus. Enter would choose what nobody has seen yet, and else do what has the focus now.
  function readTyped(): Asked | null {
    if (asked.what !== 'palette' || withCommand || event.altKey || isIn('[role=dialog]')) return null
    if (key === 'Escape') return { what: null, typed: '' }
    if (key === 'Enter') return asked
    if (key === 'Backspace') return { ...asked, typed: asked.typed.slice(0, -1) }
    return key.length === 1 ? { ...asked, typed: asked.typed + key } : null
  }

  function readShortcut(): Asked['what'] {
    const letter = withCommand && !event.altKey ? key.toLowerCase() : ''
    if (letter === 'k' && !event.shiftKey) return 'palette'
    if (letter === 'o' && event.shiftKey) return 'new-chat'
    const isWritten = isIn('input, textarea, select, [contenteditable]')
    return key === '?' && !withCommand && !isWritten ? 'shortcuts' : null
  }

  if (event.isComposing) return null
  const typed = readTyped()
  const what = typed ? null : readShortcut()
  if (!typed && !what) return null
  event.preventDefault()
  if (typed) event.stopPropagation()
  if (typed || event.repeat) return typed ?? asked
  return { what: what === asked.what && what !== 'new-chat' ? null : what, typed: '' }
}
