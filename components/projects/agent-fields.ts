import { defaultClaude, defaultModel } from '@/lib/contracts/models'
import type { AgentSettings, ModelProvider } from '@/lib/contracts/projects'

export type Effort = NonNullable<AgentSettings['reasoning_effort']> | 'default'

export const providers: { value: ModelProvider; label: string; detail: string }[] = [
  {
    value: 'auto',
    label: 'Automatic',
    detail: 'The first key of OpenAI or a compatible server, else the demo model',
  },
  { value: 'openai', label: 'OpenAI', detail: 'Needs an OpenAI key' },
  {
    value: 'openai-compatible',
    label: 'OpenAI-compatible',
    detail: 'Ollama, vLLM, OpenRouter or another address',
  },
  { value: 'anthropic', label: 'Anthropic', detail: 'Claude; needs an Anthropic key' },
  { value: 'demo', label: 'Demo model', detail: 'Scripted and offline; not an AI' },
]

export const efforts: { value: Effort; label: string }[] = [
  { value: 'default', label: 'The model’s default' },
  { value: 'none', label: 'None' },
  { value: 'minimal', label: 'Minimal' },
  { value: 'low', label: 'Low' },
  { value: 'medium', label: 'Medium' },
  { value: 'high', label: 'High' },
  { value: 'xhigh', label: 'Extra high' },
]

/** What the form holds while it is being filled in: numbers and tools as they are typed. */
export type AgentDraft = {
  name: string
  description: string
  system_prompt: string
  model_provider: ModelProvider
  model_name: string
  temperature: string
  max_output_tokens: string
  reasoning_effort: Effort
  background: boolean
  tools: string
}

/** The settings as the form shows them. */
export function toDraft(settings: AgentSettings): AgentDraft {
  const { name, description, system_prompt, model_provider, model_name, background } = settings
  return {
    ...{ name, description, system_prompt, model_provider, model_name, background },
    temperature: settings.temperature?.toString() ?? '',
    max_output_tokens: settings.max_output_tokens?.toString() ?? '',
    reasoning_effort: settings.reasoning_effort ?? 'default',
    tools: settings.tools.length > 0 ? JSON.stringify(settings.tools, null, 2) : '',
  }
}

/** Another provider, with a model of its own where the one before was only what is proposed. */
export function chooseProvider(draft: AgentDraft, model_provider: ModelProvider): Partial<AgentDraft> {
  const [proposed, before] =
    model_provider === 'anthropic' ? [defaultClaude, defaultModel] : [defaultModel, defaultClaude]
  const isProposed = draft.model_name.trim() === before
  return { model_provider, ...(isProposed && { model_name: proposed }) }
}

type Read = { settings: AgentSettings } | { fault: { path: keyof AgentDraft; message: string } }

/** The settings that the form means, or the first field that means nothing. Lengths are the server's to judge. */
export function readDraft(draft: AgentDraft): Read {
  const { name, description, system_prompt, model_provider, model_name, background } = draft
  const temperature = readNumber(draft.temperature)
  const maxTokens = readNumber(draft.max_output_tokens)
  const tools = readTools(draft.tools)
  if (!isBetween(temperature, 0, 2))
    return { fault: { path: 'temperature', message: 'Enter a number from 0 to 2.' } }
  if (!isBetween(maxTokens, 1, 1_000_000) || !Number.isInteger(maxTokens ?? 1))
    return { fault: { path: 'max_output_tokens', message: 'Enter a whole number from 1 to 1,000,000.' } }
  if (!tools) return { fault: { path: 'tools', message: 'This is not a JSON list of objects.' } }
  return {
    settings: {
      ...{ name, description, system_prompt, model_provider, model_name, background, tools, temperature },
      max_output_tokens: maxTokens,
      reasoning_effort: draft.reasoning_effort === 'default' ? null : draft.reasoning_effort,
    },
  }
}

function readNumber(typed: string): number | null {
  return typed.trim() === '' ? null : Number(typed)
}

/** Null is the model's own choice and always fits. */
function isBetween(value: number | null, least: number, most: number): boolean {
  return value === null || (value >= least && value <= most)
}

function readTools(typed: string): AgentSettings['tools'] | null {
  if (typed.trim() === '') return []
  try {
    const tools: unknown = JSON.parse(typed)
    const isList =
      Array.isArray(tools) && tools.every((tool) => tool && typeof tool === 'object' && !Array.isArray(tool))
    return isList ? tools : null
  } catch {
    return null
  }
}

const fieldNames: Record<keyof AgentSettings, string> = {
  name: 'name',
  description: 'description',
  system_prompt: 'instructions',
  model_provider: 'provider',
  model_name: 'model',
  temperature: 'temperature',
  max_output_tokens: 'length limit',
  reasoning_effort: 'reasoning effort',
  background: 'background',
  tools: 'tools',
}

/** The names of the settings in which two versions differ. */
export function listChanges(before: AgentSettings, after: AgentSettings): string[] {
  const keys = Object.keys(fieldNames) as (keyof AgentSettings)[]
  const differs = (key: keyof AgentSettings) => JSON.stringify(before[key]) !== JSON.stringify(after[key])
  return keys.filter(differs).map((key) => fieldNames[key])
}
