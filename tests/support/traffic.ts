import type { TrafficEntry } from '../../lib/contracts/keys'
import type { Client } from './client'

type Page = { items: TrafficEntry[]; next_cursor: string | null }

const patienceMs = 10_000

/**
 * What the ledger has of an API key's calls, by the request id that they were made with, once it has so many: a call is
 * written down after its last byte. Nobody waits for that for long.
 */
export async function readTraffic(
  owner: Client,
  keyId: string,
  calls: number,
): Promise<Map<string, TrafficEntry>> {
  const until = Date.now() + patienceMs
  for (;;) {
    const entries = await listAll(owner, `/api/keys/${keyId}/traffic?limit=100`)
    if (entries.length >= calls || Date.now() > until)
      return new Map(entries.map((entry) => [entry.request_id ?? entry.id, entry]))
    await new Promise((wake) => setTimeout(wake, 50))
  }
}

async function listAll(owner: Client, path: string): Promise<TrafficEntry[]> {
  const entries: TrafficEntry[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page = (await owner.get<Page>(cursor === '' ? path : `${path}&cursor=${cursor}`)).body
    entries.push(...page.items)
    cursor = page.next_cursor
  }
  return entries
}
