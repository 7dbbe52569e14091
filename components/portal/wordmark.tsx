/** The product's mark: two lines of an answer, the second still being written. */
export function Mark({ size = 20 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" aria-hidden="true">
      <rect width="20" height="20" rx="5.5" className="fill-ink" />
      <rect x="4.5" y="6" width="11" height="2" rx="1" className="fill-canvas" />
      <rect x="4.5" y="12" width="5" height="2" rx="1" className="fill-canvas" />
      <rect
        x="11"
        y="10.5"
        width="2"
        height="5"
        rx="1"
        className="fill-[oklch(0.76_0.12_258)] dark:fill-[oklch(0.5_0.165_262)]"
      />
    </svg>
  )
}
