/*
 * Apart from the contract of agents, so that a page need not load zod for it.
 */

/** What a new agent answers with, unless another model is said. */
export const defaultModel = 'gpt-5-mini'

/** The same for one that answers with Anthropic's models. */
export const defaultClaude = 'claude-sonnet-5-5'
