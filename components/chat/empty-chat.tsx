import type { AgentRecord, PromptRecord } from '@/lib/contracts/projects'

/** Before the first message: who answers here, and what for. */
export function EmptyIntro({ agent }: { agent: AgentRecord }) {
  return (
    <div className="mx-auto flex w-full max-w-transcript flex-1 flex-col justify-center px-5 pt-8 pb-1 md:justify-end md:px-7">
      <h1 className="wrap-anywhere font-semibold text-display tracking-tight">{agent.name}</h1>
      <p className="mt-1.5 max-w-[60ch] text-body text-ink-soft">
        {agent.description || 'Ask a question, paste a text to work on, or describe what you need.'}
      </p>
    </div>
  )
}

type StartersProps = { prompts: readonly PromptRecord[]; onStart: (prompt: PromptRecord) => void }

/** The agent's prompts to begin with: beneath the composer on a wide page, above it on a phone. */
export function Starters({ prompts, onStart }: StartersProps) {
  return (
    <div className="mx-auto w-full max-w-transcript px-4 py-2 max-md:order-1 md:flex-[1.35] md:px-6">
      {prompts.length === 0 ? null : (
        <ul aria-label="Prompts to begin with" className="grid gap-2 sm:grid-cols-2">
          {prompts.slice(0, 4).map((prompt) => (
            <li key={prompt.id}>
              <button
                type="button"
                onClick={() => onStart(prompt)}
                className="block h-full min-h-11 w-full rounded-panel border px-4 py-3 text-left transition-colors hover:bg-surface"
              >
                <span className="block truncate font-medium text-ui">{prompt.title}</span>
                <span className="mt-0.5 line-clamp-2 text-ink-soft text-ui">{prompt.content}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
