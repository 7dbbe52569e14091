import type { RequestError } from '../ui/request'
import type { Problem } from './chat-state'

type Refusal = Pick<RequestError, 'status' | 'code' | 'message' | 'requestId' | 'retryAfterSeconds'>

const kept = 'Your text is kept here.'

/** Why a message was not sent and what helps, in the reader's words. */
export function describeRefusal({ status, code, message, requestId, retryAfterSeconds }: Refusal): Problem {
  const id = requestId === undefined ? {} : { requestId }
  if (status === 0 && code === 'offline') {
    return {
      message: `AL-Chat could not be reached. ${kept} Send it again when you are connected.`,
      remedy: 'retry',
    }
  }
  if (status === 401) {
    return { message: `You are signed out. ${kept} Sign in again, then send it.`, remedy: 'sign_in', ...id }
  }
  if (status === 404) {
    const gone = 'This conversation is not there any more; it may have been deleted in another window.'
    return { message: `${gone} ${kept}`, remedy: 'none', ...id }
  }
  if (status === 409) return { message: `${message} ${kept}`, remedy: 'reload', ...id }
  if (status === 400 || status === 413) return { message: `${message} ${kept}`, remedy: 'none', ...id }
  if (status === 429) {
    const when = retryAfterSeconds
      ? ` Send it again in ${retryAfterSeconds} seconds.`
      : ' Send it again in a moment.'
    return { message: `${message}${when} ${kept}`, remedy: 'retry', ...id }
  }
  return { message: `${message} ${kept}`, remedy: 'retry', ...id }
}
