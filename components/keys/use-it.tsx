'use client'

import { useState, useSyncExternalStore } from 'react'
import '@/components/chat/chat.css'
import { CodeBlock } from '@/components/chat/code-block'
import { Select } from '@/components/ui/select'
import { Tabs } from '@/components/ui/tabs'
import type { ModelChoice } from './model-picker'
import { keyPlace, writeSnippets } from './snippet-texts'
import { TrialBox } from './trial-box'

type UseItProps = {
  /** What the snippets can ask: the usual model first, then agents. */
  models: readonly ModelChoice[]
  /** Reads the key, to be put into what is copied; without it, snippets look for it in the environment. */
  readKey?: () => string
  onCopied?: () => void
}

/** Where there is a key to ask with. */
const trialTab = { value: 'try', label: 'Try it' }

const never = () => () => {}

/** The address of the gateway as this browser reaches it. The server does not know by which name that is. */
function useBaseUrl(): string {
  return useSyncExternalStore(
    never,
    () => `${window.location.origin}/v1`,
    () => '/v1',
  )
}

/** A first call, ready to be pasted, for each of the usual clients. */
export function UseIt({ models, readKey, onCopied }: UseItProps) {
  const baseUrl = useBaseUrl()
  const [model, setModel] = useState(models[0]?.value ?? '')
  const snippets = writeSnippets({ baseUrl, model, isKeyInside: readKey !== undefined })
  const tabs = readKey ? [...snippets, trialTab] : snippets
  const [way, setWay] = useState(tabs[0]?.value ?? '')
  const snippet = snippets.find(({ value }) => value === way)
  return (
    <div className="flex min-w-0 flex-col gap-3">
      {models.length > 1 ? <ModelSelect models={models} value={model} onChange={setModel} /> : null}
      <Tabs label="Clients" value={way} onChange={setWay} tabs={tabs}>
        {snippet ? (
          <CodeBlock
            // Colours of one snippet are none of another's.
            key={way}
            code={snippet.code}
            fence={snippet.fence}
            growing={false}
            onCopied={onCopied}
            toCopied={readKey && ((code) => code.replaceAll(keyPlace, readKey()))}
          />
        ) : (
          <TrialBox model={model} readKey={readKey} />
        )}
      </Tabs>
    </div>
  )
}

type ModelSelectProps = {
  models: readonly ModelChoice[]
  value: string
  onChange: (value: string) => void
}

/** The model of a call: one of the server, or an agent. */
export function ModelSelect({ models, value, onChange }: ModelSelectProps) {
  return (
    <Select
      aria-label="Model"
      value={value}
      onChange={onChange}
      options={models.map((model) => ({
        value: model.value,
        label: model.label ?? model.value,
        ...(model.label && { detail: 'An agent, with its settings' }),
      }))}
      className="sm:max-w-72"
    />
  )
}
