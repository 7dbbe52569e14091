'use client'

import { useEffect, useState } from 'react'
import { request } from '@/components/ui/request'
import type { ModelChoice } from './model-picker'

type ModelList = { data?: { id?: unknown }[] }

/** So many of a server's models are offered; some have thousands. */
const maxModels = 2000

/**
 * The models that the reader may call, by name: those of the server that serves them. Asked for once `wanted`; none
 * where the server does not say, which is not worth an error: any name can be typed.
 */
export function useModels(wanted: boolean): ModelChoice[] {
  const [models, setModels] = useState<ModelChoice[]>([])
  useEffect(() => {
    if (!wanted) return
    const gone = new AbortController()
    request<ModelList>('GET', '/v1/models', undefined, { signal: gone.signal }).then(
      ({ data }) => setModels(readModels(data)),
      () => {},
    )
    return () => gone.abort()
  }, [wanted])
  return models
}

function readModels(data: ModelList['data']): ModelChoice[] {
  if (!Array.isArray(data)) return []
  const names = data.flatMap(({ id }) => (typeof id === 'string' && id.length <= 200 ? [id] : []))
  return [...new Set(names)]
    .slice(0, maxModels)
    .sort()
    .map((value) => ({ value }))
}
