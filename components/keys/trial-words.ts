import type { RequestError } from '@/components/ui/request'

type Refusal = Pick<RequestError, 'status' | 'code' | 'message'>

const byCode: Record<string, (model: string) => string> = {
  insufficient_quota: () => 'There is no budget or credit left for this.',
  rate_limit_exceeded: () => 'Too much is asked at the moment.',
  model_not_found: (model) =>
    `The model server that serves you has no model “${model}”, or not for your provider key.`,
  invalid_api_key: () =>
    'You are signed out, or the model server refuses the provider key that serves you. See the vault.',
  broken_off: () => 'The answer broke off before its end. What had come stays here.',
}

/** Why a trial came to nothing, in the reader’s words, with what the server said of it where that is something else. */
export function explainTrial({ status, code, message }: Refusal, model: string): string[] {
  const words = Object.hasOwn(byCode, code) ? byCode[code]?.(model) : undefined
  if (words === undefined) return [message]
  return status === 0 || message === '' ? [words] : [words, message]
}
