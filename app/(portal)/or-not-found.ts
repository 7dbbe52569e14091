import { notFound } from 'next/navigation'
import { asAppError } from '@/lib/errors'

/** What was looked for, or the page that says there is nothing here. */
export async function orNotFound<T>(looked: Promise<T>): Promise<T> {
  try {
    return await looked
  } catch (error) {
    if (asAppError(error).code === 'not_found') notFound()
    throw error
  }
}
