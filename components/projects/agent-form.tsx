'use client'

import { ChevronRight } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { type FormEvent, useState } from 'react'
import { Button } from '@/components/ui/button'
import { FailureNote } from '@/components/ui/failure'
import { Field, TextareaField, TextField } from '@/components/ui/field'
import { request } from '@/components/ui/request'
import { Select } from '@/components/ui/select'
import { Switch } from '@/components/ui/switch'
import { notify } from '@/components/ui/toast'
import { useSubmit } from '@/components/ui/use-submit'
import type { AgentRecord, AgentSettings } from '@/lib/contracts/projects'
import { type AgentDraft, chooseProvider, efforts, providers, readDraft, toDraft } from './agent-fields'

type AgentFormProps = {
  projectId: string
  /** What the form begins with: the agent's settings, or the defaults of a new one. */
  settings: AgentSettings
  /** The agent to change; without it a new one is made. */
  agentId?: string
  readOnly?: boolean
}

/** Every setting of an agent. Saving an existing one makes a version. */
export function AgentForm({ projectId, settings, agentId, readOnly }: AgentFormProps) {
  const router = useRouter()
  const stored = JSON.stringify(toDraft(settings))
  const [begun, setBegun] = useState(stored)
  const [draft, setDraft] = useState(() => toDraft(settings))
  const [fault, setFault] = useState<{ path: string; message: string }>()
  const { busy, failure, submit } = useSubmit()
  // It was saved, or another version was restored: the form begins anew with what is stored.
  if (begun !== stored) {
    setBegun(stored)
    setDraft(toDraft(settings))
  }
  const isDirty = JSON.stringify(draft) !== stored
  const faultOf = (path: string) => {
    if (fault) return fault.path === path ? fault.message : undefined
    return failure?.issueOf(path)
  }

  async function save(event: FormEvent) {
    event.preventDefault()
    const read = readDraft(draft)
    setFault('fault' in read ? read.fault : undefined)
    if ('fault' in read) return
    await submit(async () => {
      if (agentId) {
        await request('PATCH', `/api/agents/${agentId}`, read.settings)
        notify({ title: 'Saved' })
        router.refresh()
      } else {
        const made = await request<AgentRecord>('POST', `/api/projects/${projectId}/agents`, read.settings)
        router.push(`/chat/${made.id}`)
        router.refresh()
      }
    })
  }

  return (
    <form onSubmit={save} className="flex flex-col gap-6">
      <fieldset disabled={readOnly} className="contents">
        <AgentInputs draft={draft} change={(part) => setDraft({ ...draft, ...part })} faultOf={faultOf} />
      </fieldset>
      {failure && failure.issues.length === 0 ? <FailureNote failure={failure} /> : null}
      {readOnly ? null : (
        <div className="sticky bottom-0 -mx-4 flex items-center justify-end gap-2 border-t bg-canvas px-4 py-3 sm:mx-0 sm:px-0">
          {agentId && isDirty ? (
            <>
              <span className="mr-auto text-ink-soft text-label">Not saved yet</span>
              <Button look="ghost" onClick={() => setDraft(toDraft(settings))}>
                Discard
              </Button>
            </>
          ) : null}
          <Button
            type="submit"
            look={agentId && !isDirty ? 'secondary' : 'primary'}
            busy={busy}
            disabled={agentId !== undefined && !isDirty}
          >
            {agentId ? 'Save' : 'Create agent'}
          </Button>
        </div>
      )}
    </form>
  )
}

type AgentInputsProps = {
  draft: AgentDraft
  change: (part: Partial<AgentDraft>) => void
  faultOf: (path: string) => string | undefined
}

function AgentInputs({ draft, change, faultOf }: AgentInputsProps) {
  return (
    <>
      <TextField
        label="Name"
        required
        maxLength={120}
        autoComplete="off"
        value={draft.name}
        onChange={(event) => change({ name: event.target.value })}
        error={faultOf('name')}
      />
      <TextField
        label="Description"
        hint="Optional. Shown where the agent is launched."
        maxLength={2000}
        autoComplete="off"
        value={draft.description}
        onChange={(event) => change({ description: event.target.value })}
        error={faultOf('description')}
      />
      <TextareaField
        label="Instructions"
        hint="Said to the model before every conversation."
        maxLength={100_000}
        className="min-h-40 max-h-[60dvh]"
        value={draft.system_prompt}
        onChange={(event) => change({ system_prompt: event.target.value })}
        error={faultOf('system_prompt')}
      />
      <div className="grid gap-6 sm:grid-cols-2">
        <Field label="Provider" error={faultOf('model_provider')}>
          {(wiring) => (
            <Select
              {...wiring}
              value={draft.model_provider}
              onChange={(provider) => change(chooseProvider(draft, provider))}
              options={providers}
            />
          )}
        </Field>
        <TextField
          label="Model"
          required
          maxLength={200}
          autoComplete="off"
          spellCheck={false}
          className="font-mono"
          value={draft.model_name}
          onChange={(event) => change({ model_name: event.target.value })}
          error={faultOf('model_name')}
        />
      </div>
      <details className="group">
        <summary className="flex w-fit list-none items-center gap-1.5 rounded-control font-medium text-ink-soft text-ui hover:text-ink">
          <ChevronRight size={16} aria-hidden className="transition-transform group-open:rotate-90" />
          More settings
        </summary>
        <div className="flex flex-col gap-6 pt-5">
          <FineTuning draft={draft} change={change} faultOf={faultOf} />
        </div>
      </details>
    </>
  )
}

function FineTuning({ draft, change, faultOf }: AgentInputsProps) {
  return (
    <>
      <div className="grid gap-6 sm:grid-cols-3">
        <TextField
          label="Temperature"
          hint="0 to 2; empty for the model’s own"
          inputMode="decimal"
          autoComplete="off"
          value={draft.temperature}
          onChange={(event) => change({ temperature: event.target.value })}
          error={faultOf('temperature')}
        />
        <TextField
          label="Longest answer"
          hint="In tokens; empty for no limit"
          inputMode="numeric"
          autoComplete="off"
          value={draft.max_output_tokens}
          onChange={(event) => change({ max_output_tokens: event.target.value })}
          error={faultOf('max_output_tokens')}
        />
        <Field label="Reasoning effort" error={faultOf('reasoning_effort')}>
          {(wiring) => (
            <Select
              {...wiring}
              value={draft.reasoning_effort}
              onChange={(reasoning_effort) => change({ reasoning_effort })}
              options={efforts}
            />
          )}
        </Field>
      </div>
      <Switch
        label="Answer in the background"
        hint="The provider keeps the answer, so that it can be picked up again after a cut. OpenAI only."
        checked={draft.background}
        onChange={(background) => change({ background })}
      />
      <TextareaField
        label="Tools"
        hint="A JSON list, as the provider’s API takes it."
        className="max-h-[40dvh] font-mono"
        spellCheck={false}
        value={draft.tools}
        onChange={(event) => change({ tools: event.target.value })}
        error={faultOf('tools')}
      />
    </>
  )
}
