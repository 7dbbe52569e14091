import type { Metadata } from 'next'
import { LinkButton } from '@/components/ui/link-button'

export const metadata: Metadata = { title: 'Not found' }

export default function NotFound() {
  return (
    <main className="mx-auto flex min-h-dvh max-w-[400px] flex-col items-start justify-center gap-3 px-6">
      <h1 className="font-semibold text-title">There is nothing here</h1>
      <p className="text-ink-soft text-ui">
        The page was moved or deleted, or it belongs to someone else. Your own things are where they were.
      </p>
      <LinkButton href="/dashboard" look="primary" className="mt-3">
        Go to the dashboard
      </LinkButton>
    </main>
  )
}
