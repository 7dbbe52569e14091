import { FormSkeleton } from '@/components/portal/page-skeleton'

export default function Loading() {
  return <FormSkeleton label="Loading the agent" />
}
