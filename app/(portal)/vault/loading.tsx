import { RowsSkeleton } from '@/components/portal/page-skeleton'

export default function Loading() {
  return <RowsSkeleton label="Loading the vault" />
}
