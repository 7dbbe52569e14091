import type { ReactNode } from 'react'
import { Mark } from '@/components/portal/wordmark'

export default function AuthLayout({ children }: { children: ReactNode }) {
  return (
    <main className="flex min-h-dvh flex-col items-center px-6 py-[max(48px,18vh)]">
      <div className="flex w-full max-w-[360px] flex-col gap-8">
        <div className="flex flex-col gap-2">
          <div className="flex items-center gap-2.5">
            <Mark size={24} />
            <span className="font-semibold text-title tracking-tight">AL-Chat</span>
          </div>
          <p className="text-ink-soft text-ui">Your team’s models, agents and keys, in one conversation.</p>
        </div>
        {children}
      </div>
    </main>
  )
}
