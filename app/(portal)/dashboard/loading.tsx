import { TilesSkeleton } from '@/components/portal/page-skeleton'

export default function Loading() {
  return <TilesSkeleton label="Loading the dashboard" />
}
