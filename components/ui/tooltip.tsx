'use client'

import {
  type ComponentProps,
  cloneElement,
  type ReactElement,
  type ReactNode,
  useEffect,
  useRef,
  useState,
} from 'react'
import { createPortal } from 'react-dom'

type TooltipProps = {
  label: ReactNode
  side?: 'top' | 'bottom' | 'left' | 'right'
  children: ReactElement<ComponentProps<'button'>>
}

const delayMs = 500

/** Names what an icon does, to the eye: it repeats the icon's own label and never says something new. */
export function Tooltip({ label, side = 'bottom', children }: TooltipProps) {
  const [anchor, setAnchor] = useState<DOMRect | null>(null)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const hide = () => {
    clearTimeout(timer.current)
    setAnchor(null)
  }
  const show = (element: Element, afterMs: number) => {
    clearTimeout(timer.current)
    timer.current = setTimeout(() => setAnchor(element.getBoundingClientRect()), afterMs)
  }
  useEffect(() => () => clearTimeout(timer.current), [])
  useEffect(() => {
    if (!anchor) return
    const close = () => setAnchor(null)
    window.addEventListener('keydown', close)
    window.addEventListener('scroll', close, { capture: true, passive: true })
    return () => {
      window.removeEventListener('keydown', close)
      window.removeEventListener('scroll', close, { capture: true })
    }
  }, [anchor])
  return (
    <>
      {cloneElement(children, {
        onPointerEnter: (event) => {
          children.props.onPointerEnter?.(event)
          if (event.pointerType === 'mouse') show(event.currentTarget, delayMs)
        },
        onPointerLeave: hide,
        onPointerDown: hide,
        onFocus: (event) => {
          children.props.onFocus?.(event)
          if (event.currentTarget.matches(':focus-visible')) show(event.currentTarget, 0)
        },
        onBlur: hide,
      })}
      {anchor ? createPortal(<Bubble anchor={anchor} side={side} label={label} />, document.body) : null}
    </>
  )
}

const gap = 6
const margin = 8

function Bubble({
  anchor,
  side,
  label,
}: {
  anchor: DOMRect
  side: NonNullable<TooltipProps['side']>
  label: ReactNode
}) {
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const bubble = ref.current
    if (!bubble) return
    const { width, height } = bubble.getBoundingClientRect()
    const centre = { x: anchor.x + (anchor.width - width) / 2, y: anchor.y + (anchor.height - height) / 2 }
    const places = {
      top: { x: centre.x, y: anchor.top - height - gap },
      bottom: { x: centre.x, y: anchor.bottom + gap },
      left: { x: anchor.left - width - gap, y: centre.y },
      right: { x: anchor.right + gap, y: centre.y },
    }
    const x = Math.min(Math.max(places[side].x, margin), window.innerWidth - width - margin)
    const y = Math.min(Math.max(places[side].y, margin), window.innerHeight - height - margin)
    bubble.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`
  }, [anchor, side])
  return (
    <div
      ref={ref}
      aria-hidden
      className="pointer-events-none fixed top-0 left-0 z-50 flex items-center gap-2 whitespace-nowrap rounded-[6px] bg-ink px-2 py-1 text-canvas text-label"
    >
      {label}
    </div>
  )
}
