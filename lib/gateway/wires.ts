import { forwardCall } from '../providers'
import type { Asked } from './asked'
import { openChatWire } from './chat-wire'
import { passHeaders } from './headers'
import { lastWordsOf } from './last-words'
import type { Target } from './targets'
import type { Wire } from './wire'

/** The way to ask this target. Throws invalid_input for what it cannot be asked. */
export function findWire(asked: Asked, target: Target): Wire {
  const { provider } = target.key
  if (provider === 'anthropic') return openChatWire(asked, target)
  return {
    path: asked.path,
    bytes: asked.bytes,
    open: forwardCall,
    lastWords: (meter, error) => lastWordsOf(asked.path, meter, error),
    toRefusal: (status, body) => ({ status, body }),
    toHeaders: passHeaders,
  }
}
