'use client'

import { type ReactNode, useEffect, useRef, useState } from 'react'

/** A part of a page that scrolls sideways; a stop for the Tab key only while something is out of sight. */
export function ScrollRegion({
  label,
  className,
  children,
}: {
  label: string
  className: string
  children: ReactNode
}) {
  const ref = useRef<HTMLElement>(null)
  // Until it is measured it is taken to scroll: before the page is alive the Tab key has to reach it, too.
  const [overflows, setOverflows] = useState(true)
  useEffect(() => {
    const element = ref.current
    if (!element) return
    const measure = (): void => setOverflows(element.scrollWidth > element.clientWidth)
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    if (element.firstElementChild) observer.observe(element.firstElementChild)
    return () => observer.disconnect()
  }, [])
  const reachable = overflows ? { tabIndex: 0, 'aria-label': label } : {}
  return (
    <section ref={ref} className={className} {...reachable}>
      {children}
    </section>
  )
}
