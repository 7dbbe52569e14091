import { CircleAlert } from 'lucide-react'
import Link from 'next/link'

export type KeyNotice = {
  id: string
  /** `bad`: it does not work now. `warn`: it will not for long. */
  tone: 'bad' | 'warn'
  /** What it is, such as `OpenAI key ending 9e77 (Team)`. */
  name: string
  /** What is the matter, and what to do. */
  words: string
  href: string
  /** What the link does, such as `Open the vault`. */
  action: string
}

/** So many are told; the vault tells of the others. */
const shownCount = 3

/** Keys that fail, have ended or end soon, with what to do. Nothing at all when all is well. */
export function KeyNotices({ notices }: { notices: KeyNotice[] }) {
  if (notices.length === 0) return null
  const rest = notices.slice(shownCount)
  return (
    <section aria-label="Keys in trouble" className="rounded-panel border">
      <ul>
        {notices.slice(0, shownCount).map(({ id, tone, name, words, href, action }) => (
          <li
            key={id}
            className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b px-4 py-3 last:border-b-0 sm:flex-nowrap"
          >
            <CircleAlert
              size={16}
              aria-hidden
              className={tone === 'bad' ? 'shrink-0 text-bad' : 'shrink-0 text-warn'}
            />
            <p className="wrap-anywhere min-w-0 flex-1 text-ui">
              <span className="font-medium">{name}.</span> <span className="text-ink-soft">{words}</span>
            </p>
            <Link href={href} className="shrink-0 py-1 text-accent text-ui hover:underline max-sm:pl-7">
              {action}
              <span className="sr-only"> for the {name}</span>
            </Link>
          </li>
        ))}
      </ul>
      {rest.length === 0 ? null : (
        <p className="border-t px-4 py-2.5 text-ink-soft text-label">
          And {rest.length} more, in{' '}
          <Link href={rest[0]?.href ?? '/vault'} className="underline">
            {rest[0]?.href === '/keys' ? 'API keys' : 'the vault'}
          </Link>
          .
        </p>
      )}
    </section>
  )
}
