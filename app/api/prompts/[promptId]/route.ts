import { requireUser } from '@/lib/auth'
import { PromptParams, UpdatePrompt } from '@/lib/contracts/projects'
import { methods, noContent, ok, route } from '@/lib/http'
import { deletePrompt, getPrompt, updatePrompt } from '@/lib/projects'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = methods({
  GET: route({
    auth: requireUser,
    params: PromptParams,
    run: async ({ actor, params }) => ok(await getPrompt(actor, params.promptId)),
  }),
  PATCH: route({
    auth: requireUser,
    params: PromptParams,
    body: UpdatePrompt,
    run: async ({ actor, params, body }) => ok(await updatePrompt(actor, params.promptId, body)),
  }),
  DELETE: route({
    auth: requireUser,
    params: PromptParams,
    run: async ({ actor, params }) => {
      await deletePrompt(actor, params.promptId)
      return noContent()
    },
  }),
})
