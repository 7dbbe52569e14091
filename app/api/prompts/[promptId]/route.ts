import { requireScope } from '@/lib/auth'
import { PromptParams, UpdatePrompt } from '@/lib/contracts/projects'
import { methods, noContent, ok, route } from '@/lib/http'
import { deletePrompt, getPrompt, updatePrompt } from '@/lib/projects'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireScope('portal:read'),
    params: PromptParams,
    run: async ({ actor, params }) => ok(await getPrompt(actor, params.promptId)),
  }),
  PATCH: route({
    auth: requireScope('portal:write'),
    params: PromptParams,
    body: UpdatePrompt,
    run: async ({ actor, params, body }) => ok(await updatePrompt(actor, params.promptId, body)),
  }),
  DELETE: route({
    auth: requireScope('portal:write'),
    params: PromptParams,
    run: async ({ actor, params }) => {
      await deletePrompt(actor, params.promptId)
      return noContent()
    },
  }),
})
