import type { AgentRecord, PromptRecord } from '@/lib/contracts/projects'

type EmptyChatProps = {
  agent: AgentRecord
  prompts: readonly PromptRecord[]
  onStart: (prompt: PromptRecord) => void
}

/** Before the first message: who answers here, what for, and its prompts to begin with. */
export function EmptyChat({ agent, prompts, onStart }: EmptyChatProps) {
  const starters = prompts.slice(0, 4)
  return (
    <div className="flex flex-1 flex-col">
      <div className="m-auto w-full max-w-transcript px-4 py-8 md:px-6">
        <h1 className="wrap-anywhere font-semibold text-display tracking-tight">{agent.name}</h1>
        <p className="mt-2 max-w-[60ch] text-body text-ink-soft">
          {agent.description || 'Ask a question, paste a text to work on, or describe what you need.'}
        </p>
        {starters.length > 0 ? (
          <ul aria-label="Prompts to begin with" className="mt-8 grid gap-2 sm:grid-cols-2">
            {starters.map((prompt) => (
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
        ) : null}
      </div>
    </div>
  )
}
