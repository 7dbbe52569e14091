'use client'

import { useRouter } from 'next/navigation'
import { Button } from '@/components/ui/button'
import { MoreButton } from '@/components/ui/more-button'
import { request } from '@/components/ui/request'
import { Time } from '@/components/ui/time'
import { notify, notifyFailure } from '@/components/ui/toast'
import { useListing } from '@/components/ui/use-listing'
import type { SessionRecord } from '@/lib/contracts/accounts'
import type { Listing } from '@/lib/contracts/primitives'

/** `Firefox on Linux`, as far as a browser says what it is. */
function sayDevice(userAgent: string | null): string {
  if (!userAgent) return 'A program'
  const browser = [
    ['Edg/', 'Edge'],
    ['Firefox/', 'Firefox'],
    ['Chrome/', 'Chrome'],
    ['Safari/', 'Safari'],
    ['curl/', 'curl'],
  ].find(([sign]) => sign && userAgent.includes(sign))?.[1]
  const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS', 'Linux'].find((name) =>
    userAgent.includes(name),
  )
  if (!browser) return userAgent.slice(0, 60)
  return system ? `${browser} on ${system === 'Mac OS' ? 'macOS' : system}` : browser
}

/** Where the reader is signed in, and how to end that. */
export function DeviceList({ first }: { first: Listing<SessionRecord> }) {
  const router = useRouter()
  const { items: sessions, ...more } = useListing(first, '/api/auth/sessions')

  async function end(session: SessionRecord) {
    try {
      await request('DELETE', `/api/auth/sessions/${session.id}`)
      notify({ title: `Signed out ${sayDevice(session.user_agent)}` })
      router.refresh()
    } catch (error) {
      notifyFailure('The device is still signed in', error)
    }
  }

  return (
    <>
      <ul className="border-t">
        {sessions.map((session) => (
          <li key={session.id} className="flex min-h-14 items-center gap-4 border-b py-2">
            <div className="flex min-w-0 flex-1 flex-col">
              <span className="truncate text-ui">{sayDevice(session.user_agent)}</span>
              <span className="text-ink-soft text-label">
                {session.ip ? `${session.ip} · ` : null}
                <Time at={session.last_seen_at} />
              </span>
            </div>
            {session.current ? (
              <span className="text-ink-soft text-label">This device</span>
            ) : (
              <Button size="small" onClick={() => void end(session)}>
                Sign out
                <span className="sr-only">{sayDevice(session.user_agent)}</span>
              </Button>
            )}
          </li>
        ))}
      </ul>
      <MoreButton {...more} />
    </>
  )
}
