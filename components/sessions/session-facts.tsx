import Link from 'next/link'
import { Section } from '@/components/portal/page'
import { Fact, Facts } from '@/components/ui/facts'
import { Time } from '@/components/ui/time'
import type { ChatSessionView } from '@/lib/contracts/sessions'
import { SessionLength } from './session-table'
import { listFigures, listSaid, sayPerson } from './session-words'

/** One session: when and whose, what was counted, what the client said, and where was spoken. */
export function SessionFacts({ session }: { session: ChatSessionView }) {
  const { name, claimed } = sayPerson(session)
  const said = listSaid(session.said)
  const metadata = listSaid(session.metadata)
  return (
    <div className="flex flex-col gap-8">
      <Facts label="About this session">
        <Fact label="Person">{name}</Fact>
        {claimed === null ? null : <Fact label="The client called them">{claimed}</Fact>}
        <Fact label="Began">
          <Time at={session.started_at} />
        </Fact>
        <Fact label="Lasted">
          <SessionLength session={session} />
        </Fact>
      </Facts>
      <Section title="Counted" lead="What was said to models, by any way, while the session was open.">
        <Facts label="Counted">
          {listFigures(session.counted).map(({ label, value }) => (
            <Fact key={label} label={label}>
              {value}
            </Fact>
          ))}
        </Facts>
      </Section>
      {said.length > 0 ? (
        <Section title="Metrics of the client">
          <Facts label="Metrics of the client">
            {said.map(({ label, value }) => (
              <Fact key={label} label={label}>
                {value}
              </Fact>
            ))}
          </Facts>
        </Section>
      ) : null}
      {metadata.length > 0 ? (
        <Section title="Said at the start">
          <Facts label="Said at the start">
            {metadata.map(({ label, value }) => (
              <Fact key={label} label={label}>
                {value}
              </Fact>
            ))}
          </Facts>
        </Section>
      ) : null}
      <Conversations session={session} />
    </div>
  )
}

function Conversations({ session }: { session: ChatSessionView }) {
  const { conversations, conversation_count: count } = session
  return (
    <Section title="Conversations">
      {count === 0 ? <p className="text-ink-soft text-ui">Nothing was asked in this session.</p> : null}
      {conversations.length > 0 ? (
        <ul className="border-t">
          {conversations.map(({ id, title, agent_id, agent_name }) => (
            <li
              key={id}
              className="relative flex min-h-11 items-center justify-between gap-4 border-b py-2 transition-colors hover:bg-surface/60"
            >
              <Link
                href={`/chat/${agent_id}/${id}`}
                className="min-w-0 truncate text-ui after:absolute after:inset-0"
              >
                {title}
              </Link>
              <span className="shrink-0 truncate text-ink-soft text-label">{agent_name}</span>
            </li>
          ))}
        </ul>
      ) : null}
      {count > conversations.length ? (
        <p className="text-ink-soft text-ui">
          {count - conversations.length === 1
            ? 'One more is not shown: it is somebody else’s, or of a project that was left.'
            : `${count - conversations.length} more are not shown: they are somebody else’s, or of projects that were left.`}
        </p>
      ) : null}
    </Section>
  )
}
