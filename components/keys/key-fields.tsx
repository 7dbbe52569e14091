'use client'

import { useState } from 'react'
import { Field, TextField } from '@/components/ui/field'
import type { RequestError } from '@/components/ui/request'
import { Select } from '@/components/ui/select'
import type { KeyRecord, Scope, UpdateKey } from '@/lib/contracts/keys'
import { LimitFields } from './limit-fields'
import { type Limits, noLimits, readLimits, toPolicy } from './limit-values'
import type { ModelChoice } from './model-picker'
import { ScopeChoice } from './scope-choice'

/** What a form about a key needs to know. */
export type KeyFormFacts = {
  projects: { id: string; name: string }[]
  /** What can be called: the usual model first, then agents. */
  models: readonly ModelChoice[]
  /** Admins may give two scopes more. */
  isAdmin: boolean
}

type Values = { name: string; scopes: Scope[]; project: string; lifetime: string; limits: Limits }

const newKey: Values = { name: '', scopes: ['gateway'], project: 'any', lifetime: '90', limits: noLimits }

const lifetimes = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: '1 year' },
  { value: 'never', label: 'Never', detail: 'Until you revoke it' },
]

/** Scopes with which models are called, so that limits mean something. */
const callsModels = (scopes: readonly Scope[]) => scopes.includes('gateway') || scopes.includes('chat')

/**
 * A key as it stands in a form: a new one, or one that there is, of which the name and the limits can be changed.
 * `isOpen` is whether the limits are unfolded at first.
 */
export function useKeyForm(record: KeyRecord | null, { isOpen: isFirstOpen = false } = {}) {
  const [values, setValues] = useState<Values>(() =>
    record ? { ...newKey, name: record.name, scopes: record.scopes, limits: readLimits(record) } : newKey,
  )
  const [isOpen, setOpen] = useState(isFirstOpen)
  const policy: UpdateKey = callsModels(values.scopes) ? toPolicy(values.limits) : {}
  return {
    values,
    set: (change: Partial<Values>) => setValues((now) => ({ ...now, ...change })),
    isOpen,
    setOpen,
    /** Body of `POST /api/keys`. */
    toCreate: () => ({
      name: values.name,
      scopes: values.scopes,
      ...(values.project !== 'any' && { project_id: values.project }),
      expires_at: endOf(values.lifetime),
      ...policy,
    }),
    /** Body of `PATCH /api/keys/{id}`. */
    toUpdate: (): UpdateKey => ({ name: values.name, ...policy }),
  }
}

function endOf(lifetime: string): string | null {
  if (lifetime === 'never') return null
  return new Date(Date.now() + Number(lifetime) * 86_400_000).toISOString()
}

type KeyFieldsProps = KeyFormFacts & {
  form: ReturnType<typeof useKeyForm>
  failure: RequestError | undefined
  /** Without these, only what can be changed later. */
  isNew: boolean
}

/** The fields of a key, for making one and for changing one. */
export function KeyFields({ form, failure, isNew, projects, models, isAdmin }: KeyFieldsProps) {
  const { values, set } = form
  return (
    <>
      <TextField
        label="Name"
        required
        maxLength={120}
        hint="What uses it, such as “Nightly report”."
        value={values.name}
        onChange={(event) => set({ name: event.target.value })}
        error={failure?.issueOf('name')}
      />
      {isNew ? (
        <>
          <ScopeChoice
            chosen={values.scopes}
            onChange={(scopes) => set({ scopes })}
            isAdmin={isAdmin}
            error={failure?.issueOf('scopes')}
          />
          <div className="grid gap-4 sm:grid-cols-2">
            <Field label="Ends after" error={failure?.issueOf('expires_at')}>
              {(wiring) => (
                <Select
                  {...wiring}
                  value={values.lifetime}
                  onChange={(lifetime) => set({ lifetime })}
                  options={lifetimes}
                />
              )}
            </Field>
            {projects.length > 0 ? (
              <Field label="Reaches" error={failure?.issueOf('project_id')}>
                {(wiring) => (
                  <Select
                    {...wiring}
                    value={values.project}
                    onChange={(project) => set({ project })}
                    options={listReaches(projects)}
                  />
                )}
              </Field>
            ) : null}
          </div>
        </>
      ) : null}
      {callsModels(values.scopes) ? (
        <LimitFields
          limits={values.limits}
          onChange={(limits) => set({ limits })}
          isOpen={form.isOpen}
          onOpenChange={form.setOpen}
          offered={models}
          failure={failure}
        />
      ) : null}
    </>
  )
}

function listReaches(projects: KeyFormFacts['projects']) {
  const own = projects.map(({ id, name }) => ({ value: id, label: name, detail: 'This project alone' }))
  return [{ value: 'any', label: 'Everything that you reach' }, ...own]
}
