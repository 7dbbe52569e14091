'use client'

import { PageFailure } from '@/components/portal/page-failure'

type Props = { error: Error & { digest?: string }; retry: () => void }

export default function ErrorPage({ error, retry }: Props) {
  return <PageFailure digest={error.digest} retry={retry} />
}
