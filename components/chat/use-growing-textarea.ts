'use client'

import { type RefObject, useLayoutEffect } from 'react'

/** Makes a textarea as high as its text in browsers that do not know `field-sizing: content`. */
export function useGrowingTextarea(ref: RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => {
    const area = ref.current
    if (!area || CSS.supports('field-sizing', 'content')) return
    area.style.height = 'auto'
    if (text !== '') area.style.height = `${area.scrollHeight}px`
  }, [ref, text])
}
