'use client'

import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { type MouseEvent, type ReactNode, useState } from 'react'
import { asRequestError, request } from '@/components/ui/request'
import type { ResolutionStep } from '@/lib/contracts/credentials'
import type { Health } from '@/lib/contracts/health'
import { sayObstacle } from './live-words'

const patienceMs = 3000

/** What is in the way of an answer, asked now; null if nothing is. */
async function findObstacle(serving: ResolutionStep | null): Promise<string | null> {
  try {
    const signal = AbortSignal.timeout(patienceMs)
    const health = await request<Health>('GET', '/api/health', undefined, { signal })
    return sayObstacle(serving, health)
  } catch (error) {
    return sayObstacle(serving, asRequestError(error).status === 503 ? 'database' : 'silence')
  }
}

const opensElsewhere = ({ button, ctrlKey, metaKey, shiftKey, altKey }: MouseEvent) =>
  button !== 0 || ctrlKey || metaKey || shiftKey || altKey

type LaunchLinkProps = {
  href: string
  serving: ResolutionStep | null
  className: string
  children: ReactNode
}

/** Opens a chat once AL-Chat has said that it can answer; else says what is in the way, and offers to open it all the same. */
export function LaunchLink({ href, serving, className, children }: LaunchLinkProps) {
  const router = useRouter()
  const [checking, setChecking] = useState(false)
  const [obstacle, setObstacle] = useState<string | null>(null)

  async function launch(event: MouseEvent) {
    if (opensElsewhere(event)) return
    event.preventDefault()
    if (checking) return
    setChecking(true)
    const found = await findObstacle(serving)
    setChecking(false)
    setObstacle(found)
    if (found === null) router.push(href)
  }

  return (
    <>
      <Link
        href={href}
        onClick={(event) => void launch(event)}
        aria-busy={checking || undefined}
        className={className}
      >
        {children}
      </Link>
      <p role="alert" className="pt-2 text-label text-bad empty:hidden">
        {obstacle === null ? null : (
          <>
            {obstacle}{' '}
            <Link href={href} className="font-medium text-accent hover:underline">
              Open it all the same
            </Link>
          </>
        )}
      </p>
    </>
  )
}
