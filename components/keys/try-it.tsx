'use client'

import Link from 'next/link'
import { useState } from 'react'
import { Section } from '@/components/portal/page'
import type { ModelChoice } from './model-picker'
import { TrialBox } from './trial-box'
import { ModelSelect } from './use-it'

type TryItProps = {
  models: readonly ModelChoice[]
  /** Whether a model server serves the reader at all. */
  isServed: boolean
}

/** The gateway, asked by the reader: the key itself is not here to ask with. */
export function TryIt({ models, isServed }: TryItProps) {
  const [model, setModel] = useState(models[0]?.value ?? '')
  return (
    <Section
      title="Try it"
      lead={
        <>
          Asked by you, not with this key: the limits of the key do not hold here, and it counts as your own
          use in{' '}
          <Link href="/usage" className="underline hover:text-ink">
            Usage
          </Link>
          , not as its traffic.
        </>
      }
    >
      {isServed ? null : (
        <p className="text-ui text-warn">
          No model server serves you yet.{' '}
          <Link href="/vault" className="underline">
            Add a key in the vault
          </Link>{' '}
          first.
        </p>
      )}
      <ModelSelect models={models} value={model} onChange={setModel} />
      <TrialBox model={model} />
    </Section>
  )
}
