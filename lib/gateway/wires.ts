import { forwardCall } from '../providers'
import { type Asked, goesOn } from './asked'
import { openChatWire } from './chat-wire'
import { openCompactWire } from './compact-wire'
import { openDemo } from './demo'
import { passHeaders } from './headers'
import { lastWordsOf } from './last-words'
import { openResponseWire } from './response-wire'
import { noKey, type Target } from './targets'
import type { Wire } from './wire'

/** What the demo model answers. */
const chats = ['/chat/completions', '/responses']

/** The way to ask this target. Throws invalid_input for what it cannot be asked. */
export function findWire(asked: Asked, target: Target): Wire {
  const { provider } = target.key
  if (provider !== 'openai' && asked.path === '/responses/compact') return openCompactWire(asked, target)
  if (provider === 'demo' && !chats.includes(asked.path)) throw noKey()
  if (provider !== 'openai' && asked.path === '/responses') return openResponseWire(asked, target)
  if (provider === 'anthropic') return openChatWire(asked, target)
  return {
    path: asked.path,
    bytes: asked.bytes,
    open: provider === 'demo' ? openDemo : forwardCall,
    // What goes on in the background has another event of that number: its reader comes back for it.
    lastWords: (meter, error) => (goesOn(asked) ? null : lastWordsOf(asked.path, meter, error)),
    toRefusal: (status, body) => ({ status, body }),
    toHeaders: passHeaders,
  }
}
