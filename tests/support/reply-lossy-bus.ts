import type { Bus } from '../../lib/replies/bus'

/** What happens to a message on its way to one listener; a number is a delay in milliseconds, so that others overtake it. */
export type Fate = 'arrives' | 'lost' | 'doubled' | number

type Listener = { node: number; hear: (message: unknown) => void }

/** A bus between nodes that loses, doubles, delays and reorders messages, each listener's apart, by a list of fates. */
export class LossyBus {
  private readonly listeners = new Map<string, Set<Listener>>()
  private readonly silenced = new Set<number>()
  private readonly fates: Fate[]
  private told = 0

  constructor(fates: Fate[]) {
    this.fates = fates
  }

  /** The bus as one node has it. */
  at(node: number): Bus {
    return {
      publish: (topic, message) => {
        if (this.silenced.has(node)) return
        for (const listener of this.listeners.get(topic) ?? [])
          this.deliver(listener, structuredClone(message))
      },
      subscribe: (topic, hear) => {
        const listener = { node, hear }
        const all = this.listeners.get(topic) ?? new Set()
        this.listeners.set(topic, all.add(listener))
        return () => void all.delete(listener)
      },
    }
  }

  /** This node neither hears nor is heard any more. */
  silence(node: number): void {
    this.silenced.add(node)
  }

  private deliver(listener: Listener, message: unknown): void {
    const fate = this.fates[this.told++ % this.fates.length]
    const hear = () => {
      if (!this.silenced.has(listener.node)) listener.hear(message)
    }
    if (fate === 'lost') return
    if (typeof fate === 'number') return void setTimeout(hear, fate)
    hear()
    if (fate === 'doubled') hear()
  }
}
