import type { Metadata } from 'next'
import { ApiKeyList } from '@/components/keys/api-key-list'
import { UseIt } from '@/components/keys/first-call'
import { Page, Section } from '@/components/portal/page'
import { Part, RowsSkeleton } from '@/components/portal/part'
import { type Actor, listKeys, requirePageActor } from '@/lib/auth'
import { readKeyFacts } from './read-facts'

export const metadata: Metadata = { title: 'API keys' }

export default async function KeysPage() {
  const actor = await requirePageActor('/keys')
  return (
    <Page
      title="API keys"
      lead="With one of these a program uses AL-Chat in your name, as far as you let it."
    >
      <Part label="your API keys" skeleton={<RowsSkeleton rows={3} />}>
        <Keys actor={actor} />
      </Part>
    </Page>
  )
}

async function Keys({ actor }: { actor: Actor }) {
  const [keys, facts] = await Promise.all([listKeys(actor), readKeyFacts(actor)])
  return (
    <>
      <ApiKeyList first={keys} facts={facts} asOf={new Date().toISOString()} />
      <Section
        title="Use it"
        lead="With a key that may call models, in the variable AL_CHAT_KEY. Every client of OpenAI works."
      >
        <UseIt models={facts.models} />
      </Section>
    </>
  )
}
