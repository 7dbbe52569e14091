import type { JsonObject } from '../contracts/sessions'
import { sql } from '../db'

type Window = { userId: string; from: Date; to: Date }

type CountRow = {
  messages: number
  errors: number
  requests: number
  inputTokens: number
  outputTokens: number
  firstTokenMedianMs: number | null
  firstTokenMaxMs: number | null
}

/** What somebody and the models said to each other in a window of time: messages, tokens, errors, first-token times. */
export async function countAnswers({ userId, from, to }: Window): Promise<JsonObject> {
  const [row] = await sql<CountRow>`
    WITH said AS (
      SELECT m.role, m.status FROM conversations c JOIN messages m ON m.conversation_id = c.id
      WHERE c.user_id = ${userId}::uuid AND c.last_activity_at >= ${from}::timestamptz
        AND m.created_at >= ${from}::timestamptz AND m.created_at <= ${to}::timestamptz
    ), calls AS (
      SELECT * FROM usage_entries
      WHERE user_id = ${userId}::uuid AND at >= ${from}::timestamptz AND at <= ${to}::timestamptz
    )
    SELECT
      (SELECT count(*) FROM said WHERE role = 'user')::int AS messages,
      -- An answer that failed is counted by its message; a call without one, by the ledger.
      ((SELECT count(*) FROM said WHERE role = 'assistant' AND status = 'failed')
        + count(*) FILTER (WHERE outcome = 'failed' AND reply_id IS NULL))::int AS errors,
      count(*)::int AS requests,
      coalesce(sum(input_tokens), 0)::float8 AS "inputTokens",
      coalesce(sum(output_tokens), 0)::float8 AS "outputTokens",
      percentile_disc(0.5) WITHIN GROUP (ORDER BY first_token_ms) AS "firstTokenMedianMs",
      max(first_token_ms) AS "firstTokenMaxMs"
    FROM calls`
  return row ? toMetrics(row) : {}
}

function toMetrics({
  messages,
  errors,
  requests,
  inputTokens,
  outputTokens,
  ...times
}: CountRow): JsonObject {
  const { firstTokenMedianMs, firstTokenMaxMs } = times
  return {
    messages,
    requests,
    errors,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    ...(firstTokenMedianMs !== null && { first_token_ms: firstTokenMedianMs }),
    ...(firstTokenMaxMs !== null && { first_token_max_ms: firstTokenMaxMs }),
  }
}
