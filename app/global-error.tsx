'use client'

import './globals.css'
import { PageFailure } from '@/components/portal/page-failure'

type Props = { error: Error & { digest?: string }; retry: () => void }

export default function GlobalError({ error, retry }: Props) {
  return (
    <html lang="en">
      <body className="bg-canvas font-sans text-ink">
        <title>AL-Chat</title>
        <main>
          <PageFailure digest={error.digest} retry={retry} />
        </main>
      </body>
    </html>
  )
}
