'use client'

import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'

// A reader this close to the end counts as being there.
const nearEndPx = 32

const distanceToEnd = (element: HTMLElement): number =>
  element.scrollHeight - element.clientHeight - Math.abs(element.scrollTop)

type Stick = { atEnd: boolean; jumpToEnd: () => void }

/**
 * Keeps a scroller at its end while the reader is there, and leaves it alone otherwise.
 * The server draws the scroller with `column-reverse`, so that it opens at the end before any script runs.
 */
export function useStickToEnd(
  scroller: RefObject<HTMLElement | null>,
  content: RefObject<HTMLElement | null>,
): Stick {
  const stuck = useRef(true)
  const lastTop = useRef(0)
  const [atEnd, setAtEnd] = useState(true)

  const jumpToEnd = useCallback(() => {
    const element = scroller.current
    if (!element) return
    stuck.current = true
    setAtEnd(true)
    element.scrollTop = element.scrollHeight
    lastTop.current = element.scrollTop
  }, [scroller])

  useLayoutEffect(() => {
    const element = scroller.current
    if (element?.style.flexDirection !== 'column-reverse') return
    // In a reversed column scrollTop counts from the end, downwards from 0.
    const fromEnd = -Math.min(0, element.scrollTop)
    element.style.flexDirection = 'column'
    element.scrollTop = element.scrollHeight - element.clientHeight - fromEnd
    lastTop.current = element.scrollTop
    stuck.current = fromEnd <= nearEndPx
  }, [scroller])

  useEffect(() => {
    const element = scroller.current
    const inner = content.current
    if (!element || !inner) return
    const look = (): void => {
      const isUp = element.scrollTop < lastTop.current - 1
      lastTop.current = element.scrollTop
      const near = distanceToEnd(element) <= nearEndPx
      if (near && !isUp) stuck.current = true
      else if (isUp && distanceToEnd(element) > 2) stuck.current = false
      setAtEnd(stuck.current || near)
    }
    const letGo = (event: WheelEvent): void => {
      if (event.deltaY < 0 && element.scrollTop > 0) stuck.current = false
    }
    const observer = new ResizeObserver(() => {
      if (stuck.current) jumpToEnd()
      else setAtEnd(distanceToEnd(element) <= nearEndPx)
    })
    observer.observe(inner)
    observer.observe(element)
    element.addEventListener('scroll', look, { passive: true })
    element.addEventListener('wheel', letGo, { passive: true })
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', look)
      element.removeEventListener('wheel', letGo)
    }
  }, [scroller, content, jumpToEnd])

  return { atEnd, jumpToEnd }
}
