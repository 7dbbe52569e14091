import type { Actor } from '../auth'
import type { Question } from './question'

/** A call with all that it takes to ask for it. */
export type Call = { actor: Actor; request: Request; question: Question; signal: AbortSignal }
