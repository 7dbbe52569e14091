/** The product's mark: two lines of a conversation, one of them being said now. */
export function Mark({ size = 20 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" fill="none" aria-hidden="true">
      <rect x="2" y="4" width="11" height="4" rx="2" className="fill-ink" />
      <rect x="7" y="12" width="7" height="4" rx="2" className="fill-ink" />
      <circle cx="17" cy="14" r="2" className="fill-accent" />
    </svg>
  )
}
