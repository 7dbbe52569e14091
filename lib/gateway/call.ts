import type { Actor } from '../auth'
import type { Question } from './question'

/** A call with all that it takes to ask for it. */
export type Call = { actor: Actor; request: Request; question: Question; signal: AbortSignal }

/** What can be asked of a response that was made before. */
export type ResponseCall = {
  method: 'GET' | 'DELETE' | 'POST'
  id: string
  /** Behind its address: nothing, `/cancel` or `/input_items`. */
  about: '' | '/cancel' | '/input_items'
  request: Request
}
