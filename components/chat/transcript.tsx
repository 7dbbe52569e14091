'use client'

import { memo, startTransition, useEffect, useMemo, useRef, useState } from 'react'
import { Button } from '../ui/button'
import { Answer, Pulse } from './answer'
import type { ChatDeeds, Unsent } from './chat-deeds'
import type { LiveText } from './live-text'
import { groupTurns, isSameTurn, type Turn } from './turns'
import { UserMessage } from './user-message'

/** Groups that are drawn at once; earlier ones follow when the page is idle or the reader scrolls up. */
const firstGroups = 3
/** Beyond this many, only scrolling or the browser's search brings more. */
const idleGroups = 100

/** What every turn needs besides itself. It changes rarely. */
type Shared = {
  live: LiveText
  deeds: ChatDeeds
  settingsHref: string
  isDemo: boolean
  editingId: string | null
  onEdit: (messageId: string | null) => void
  onTakeBack: (unsent: Unsent) => void
}

function TurnView({ turn, ...shared }: { turn: Turn } & Shared) {
  const { editingId, onEdit, onTakeBack, live, deeds, settingsHref, isDemo } = shared
  if (turn.message.role === 'assistant') {
    return <Answer turn={turn} live={live} deeds={deeds} settingsHref={settingsHref} isDemo={isDemo} />
  }
  if (turn.message.role !== 'user') return null
  const editing = editingId === turn.message.id
  return <UserMessage turn={turn} deeds={deeds} editing={editing} onEdit={onEdit} onTakeBack={onTakeBack} />
}

type GroupProps = { turns: readonly Turn[]; isOld: boolean } & Shared

const isSameGroup = (before: GroupProps, after: GroupProps): boolean => {
  const { turns: a, ...restA } = before
  const { turns: b, ...restB } = after
  const keys = Object.keys(restA) as (keyof typeof restA)[]
  return (
    a.length === b.length &&
    keys.every((key) => restA[key] === restB[key]) &&
    a.every((turn, index) => isSameTurn(turn, b[index] ?? turn) && b[index] !== undefined)
  )
}

const TurnGroup = memo(function TurnGroup({ turns, isOld, ...shared }: GroupProps) {
  return (
    <div className={isOld ? 'turn-group' : undefined}>
      {turns.map((turn) => (
        <div key={turn.message.id} className={turn.message.role === 'user' ? 'pt-6' : 'pt-2'}>
          <TurnView turn={turn} {...shared} />
        </div>
      ))}
    </div>
  )
}, isSameGroup)

/** How many groups to draw, counted from the end; grows while nothing else happens. */
function useDrawnGroups(total: number): [number, () => void] {
  const [drawn, setDrawn] = useState(firstGroups)
  const more = (): void => startTransition(() => setDrawn((count) => count + 4))
  useEffect(() => {
    if (drawn >= Math.min(total, idleGroups)) return
    const timer = setTimeout(() => startTransition(() => setDrawn((count) => count + 1)), 120)
    return () => clearTimeout(timer)
  }, [drawn, total])
  useEffect(() => {
    const find = (event: KeyboardEvent): void => {
      // The browser's search sees only what is there.
      if ((event.ctrlKey || event.metaKey) && event.key === 'f') startTransition(() => setDrawn(total))
    }
    addEventListener('keydown', find)
    return () => removeEventListener('keydown', find)
  }, [total])
  return [Math.min(drawn, total), more]
}

function EarlierTurns({ onReach }: { onReach: () => void }) {
  const ref = useRef<HTMLDivElement>(null)
  const reach = useRef(onReach)
  reach.current = onReach
  useEffect(() => {
    const element = ref.current
    if (!element) return
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && reach.current(), {
      rootMargin: '1600px',
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return (
    <div ref={ref} className="flex justify-center pt-4">
      <Button size="small" look="ghost" onClick={onReach}>
        Show earlier messages
      </Button>
    </div>
  )
}

/** The messages of the shown branch, in one column. */
export function Transcript({ turns, ...shared }: { turns: readonly Turn[] } & Shared) {
  const groups = useMemo(() => groupTurns(turns), [turns])
  const [drawn, drawMore] = useDrawnGroups(groups.length)
  const from = groups.length - drawn
  const last = turns.at(-1)
  const awaits = last?.message.role === 'user' && last.send?.state === 'sending'
  return (
    <div className="transcript mx-auto w-full max-w-transcript flex-1 px-4 pb-6 md:px-6">
      {/* A new one for each place, since an observer reports only changes. */}
      {from > 0 ? <EarlierTurns key={from} onReach={drawMore} /> : null}
      {groups.slice(from).map((group, index) => (
        <TurnGroup
          key={group[0]?.message.id}
          turns={group}
          isOld={from + index < groups.length - 2}
          {...shared}
          editingId={group.some(({ message }) => message.id === shared.editingId) ? shared.editingId : null}
        />
      ))}
      {awaits ? (
        <div className="pt-2">
          <Pulse />
          <div className="mt-2 min-h-8 pointer-coarse:min-h-11" />
        </div>
      ) : null}
    </div>
  )
}
