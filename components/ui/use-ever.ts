'use client'

import { useState } from 'react'

/** True from the first time on that `wanted` was: mounts a thing when it opens, and keeps it while it closes. */
export function useEver(wanted: boolean): boolean {
  const [ever, setEver] = useState(wanted)
  if (wanted && !ever) setEver(true)
  return ever || wanted
}
