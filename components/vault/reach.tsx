import { Section } from '@/components/portal/page'

type ReachProps = {
  /** Whether the server calls the machine that it runs on. */
  loopback: boolean
  /** The entries of ALLOWED_PROVIDER_HOSTS. */
  allowed: string[]
  isAdmin: boolean
}

/** Which addresses keys can be sent to at all, so that one knows before entering one. */
export function Reach({ loopback, allowed, isAdmin }: ReachProps) {
  return (
    <Section
      title="Where keys may go"
      lead="Each to its own address alone. Of addresses, the server calls these."
    >
      <ul className="max-w-[640px] border-t text-ui">
        <Place name="Public addresses">Checked each time that a connection is made.</Place>
        <Place name="This machine" isOff={!loopback}>
          {loopback
            ? 'As for Ollama at http://127.0.0.1:11434/v1: this AL-Chat serves nobody but this machine.'
            : 'Not called, since this AL-Chat serves others too. An admin can name it in ALLOWED_PROVIDER_HOSTS.'}
        </Place>
        <Place name="The server’s own network" isOff={allowed.length === 0}>
          {sayNetwork(allowed, isAdmin)}
        </Place>
      </ul>
    </Section>
  )
}

function sayNetwork(allowed: string[], isAdmin: boolean): string {
  if (allowed.length === 0) return 'Not called. An admin can name hosts of it in ALLOWED_PROVIDER_HOSTS.'
  if (isAdmin) return `What ALLOWED_PROVIDER_HOSTS names: ${allowed.join(', ')}.`
  return 'What an admin has named; the others are not called.'
}

function Place({ name, isOff, children }: { name: string; isOff?: boolean; children: string }) {
  return (
    <li className="flex flex-col gap-x-4 border-b py-2.5 sm:flex-row">
      <span className={isOff ? 'w-48 shrink-0 text-ink-soft' : 'w-48 shrink-0'}>{name}</span>
      <span className="wrap-anywhere min-w-0 text-ink-soft">{children}</span>
    </li>
  )
}
