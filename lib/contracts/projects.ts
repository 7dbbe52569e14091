import { z } from 'zod'
import { defaultModel } from './models'
import { Id, line, prose, wholeNumber } from './primitives'

export const CreateProject = z.strictObject({ name: line(120), description: prose(2000).default('') })
export const UpdateProject = z.strictObject({
  name: line(120).optional(),
  description: prose(2000).optional(),
})
export type CreateProject = z.infer<typeof CreateProject>
export type UpdateProject = z.infer<typeof UpdateProject>

export const ProjectRole = z.enum(['viewer', 'editor', 'owner'])
export type ProjectRole = z.infer<typeof ProjectRole>

export type ProjectRecord = {
  id: string
  name: string
  description: string
  /** What the caller may do here. */
  role: ProjectRole
  agent_count: number
  created_at: string
  updated_at: string
}

/** `auto` lets the vault choose: the first key of OpenAI or a compatible server that there is, else the demo model. */
export const ModelProvider = z.enum(['auto', 'openai', 'openai-compatible', 'anthropic', 'demo'])
export type ModelProvider = z.infer<typeof ModelProvider>

const deepestTool = 32

/** Whether arrays and objects lie at most so deep in each other; looked at level by level, for any depth. */
function isAtMostDeep(value: unknown, deepest: number): boolean {
  let level: object[] = isObject(value) ? [value] : []
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === deepest) return false
    level = level.flatMap((parent) => Object.values(parent).filter(isObject))
  }
  return true
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Postgres stores no U+0000 and no lone surrogate, which are the only \u escapes of this kind that JSON.stringify makes. */
function isStorable(value: unknown): boolean {
  const json = JSON.stringify(value)
  return json.length <= 100_000 && !/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(json)
}

const agentFields = {
  name: line(120),
  description: prose(2000),
  system_prompt: prose(100_000),
  model_provider: ModelProvider,
  model_name: line(200),
  temperature: z.number().min(0).max(2).nullable(),
  max_output_tokens: z.number().int().min(1).max(1_000_000).nullable(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh']).nullable(),
  background: z.boolean(),
  tools: z
    .array(z.record(z.string().max(200), z.unknown()))
    .max(128)
    .refine((tools) => isAtMostDeep(tools, deepestTool), {
      message: `At most ${deepestTool} levels of arrays and objects.`,
      abort: true,
    })
    .refine(isStorable, {
      message: 'At most 100000 characters of JSON, without characters that cannot be stored.',
    }),
}

export const CreateAgent = z.strictObject({
  name: agentFields.name,
  description: agentFields.description.default(''),
  system_prompt: agentFields.system_prompt.default(''),
  model_provider: agentFields.model_provider.default('auto'),
  model_name: agentFields.model_name.default(defaultModel),
  temperature: agentFields.temperature.default(null),
  max_output_tokens: agentFields.max_output_tokens.default(null),
  reasoning_effort: agentFields.reasoning_effort.default(null),
  background: agentFields.background.default(false),
  tools: agentFields.tools.default([]),
})
export const UpdateAgent = z.strictObject(agentFields).partial()
export type CreateAgent = z.infer<typeof CreateAgent>
export type UpdateAgent = z.infer<typeof UpdateAgent>

/** What a version of an agent holds: everything that can be changed. */
export type AgentSettings = z.infer<typeof CreateAgent>

export type AgentRecord = AgentSettings & {
  id: string
  project_id: string
  version: number
  created_at: string
  updated_at: string
}

/** An agent as something to launch. */
export type LaunchableAgent = Pick<
  AgentRecord,
  'id' | 'name' | 'description' | 'project_id' | 'model_provider' | 'model_name' | 'created_at'
> & { project_name: string }

export type AgentVersionRecord = {
  version: number
  settings: AgentSettings
  created_at: string
  created_by: string | null
}

const Variables = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'Letters, digits and _ only.'),
      default: prose(10_000).optional(),
    }),
  )
  .max(50)
  .refine(
    (list) => new Set(list.map(({ name }) => name)).size === list.length,
    'Two variables have one name.',
  )

export const CreatePrompt = z.strictObject({
  title: line(200),
  content: prose(100_000),
  variables: Variables.default([]),
})
export const UpdatePrompt = z.strictObject({
  title: line(200).optional(),
  content: prose(100_000).optional(),
  variables: Variables.optional(),
})
export type CreatePrompt = z.infer<typeof CreatePrompt>
export type UpdatePrompt = z.infer<typeof UpdatePrompt>

export type PromptRecord = {
  id: string
  agent_id: string
  title: string
  content: string
  variables: { name: string; default?: string }[]
  created_at: string
  updated_at: string
}

export const AddMember = z
  .strictObject({ user_id: Id.optional(), email: line(254).optional(), role: ProjectRole })
  .refine(({ user_id, email }) => Boolean(user_id) !== Boolean(email), 'Give either user_id or email.')
export const UpdateMember = z.strictObject({ role: ProjectRole })
export type AddMember = z.infer<typeof AddMember>
export type UpdateMember = z.infer<typeof UpdateMember>

export type MemberRecord = {
  user_id: string
  email: string
  name: string | null
  role: ProjectRole
  created_at: string
}

export const ProjectParams = z.strictObject({ projectId: Id })
export const AgentParams = z.strictObject({ agentId: Id })
export const PromptParams = z.strictObject({ promptId: Id })
export const MemberParams = z.strictObject({ projectId: Id, userId: Id })
export const AgentVersionParams = z.strictObject({
  agentId: Id,
  version: wholeNumber(1, 2_147_483_647),
})
export const DeleteProjectQuery = z.strictObject({ confirm: z.string().max(200).optional() })
