import type {
  AgentRecord,
  AgentSettings,
  AgentVersionRecord,
  MemberRecord,
  ModelProvider,
  ProjectRecord,
  ProjectRole,
  PromptRecord,
} from '../contracts/projects'
import type { JsonInput, Prisma } from '../db'

type AgentRow = Prisma.AgentGetPayload<object>
type PromptRow = Prisma.PromptGetPayload<object>
type VersionRow = Prisma.AgentVersionGetPayload<object>
type MemberRow = Prisma.ProjectMemberGetPayload<{
  include: { user: { select: { email: true; name: true } } }
}>

/** What is read with a project: how many agents it has, and the caller's own membership. */
export const withRole = (userId: string) => ({
  _count: { select: { agents: true } },
  members: { where: { userId }, select: { role: true } },
})
type ProjectRow = Prisma.ProjectGetPayload<{ include: ReturnType<typeof withRole> }>

/** The project as the contract shows it, with the caller's role. */
export function toProjectRecord(row: ProjectRow): ProjectRecord {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    role: (row.members[0]?.role ?? 'viewer') as ProjectRole,
    agent_count: row._count.agents,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  }
}

/** What can be changed of an agent, as a version holds it. */
export function toSettings(row: AgentRow): AgentSettings {
  return {
    name: row.name,
    description: row.description,
    system_prompt: row.systemPrompt,
    model_provider: row.modelProvider as ModelProvider,
    model_name: row.modelName,
    temperature: row.temperature,
    max_output_tokens: row.maxOutputTokens,
    reasoning_effort: row.reasoningEffort as AgentSettings['reasoning_effort'],
    background: row.background,
    tools: row.tools as AgentSettings['tools'],
  }
}

/** The settings as columns. */
export function toColumns(settings: AgentSettings) {
  return {
    name: settings.name,
    description: settings.description,
    systemPrompt: settings.system_prompt,
    modelProvider: settings.model_provider,
    modelName: settings.model_name,
    temperature: settings.temperature,
    maxOutputTokens: settings.max_output_tokens,
    reasoningEffort: settings.reasoning_effort,
    background: settings.background,
    // Came in as JSON, so it can go out as JSON.
    tools: settings.tools as JsonInput,
  }
}

/** The agent as the contract shows it. */
export function toAgentRecord(row: AgentRow): AgentRecord {
  return {
    id: row.id,
    project_id: row.projectId,
    ...toSettings(row),
    version: row.version,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  }
}

/** A version of an agent as the contract shows it. */
export function toVersionRecord(row: VersionRow): AgentVersionRecord {
  return {
    version: row.version,
    settings: row.settings as AgentSettings,
    created_at: row.createdAt.toISOString(),
    created_by: row.createdBy,
  }
}

/** The prompt as the contract shows it. */
export function toPromptRecord(row: PromptRow): PromptRecord {
  return {
    id: row.id,
    agent_id: row.agentId,
    title: row.title,
    content: row.content,
    variables: row.variables as PromptRecord['variables'],
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  }
}

/** The member as the contract shows it. */
export function toMemberRecord(row: MemberRow): MemberRecord {
  return {
    user_id: row.userId,
    email: row.user.email,
    name: row.user.name,
    role: row.role as ProjectRole,
    created_at: row.createdAt.toISOString(),
  }
}
