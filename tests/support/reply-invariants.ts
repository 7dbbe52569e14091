import { type Frame, foldParts, isTerminal, textOf } from '../../lib/replies/frame'
import { type ReplyLog, readWhole } from '../../lib/replies/log'
import type { StoredMessage } from './reply-rows'
import type { TestedReply, World } from './reply-world'

type Stored = { frames: Frame[]; message: StoredMessage | null }

const saidIn = (frames: Frame[]) => frames.map(({ text }) => text).join('')
const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)

/** Parts as lists, since jsonb keeps its own order of keys. */
const inOrder = (parts: unknown) =>
  (parts as { type: string; text: string }[]).map(({ type, text }) => [type, text])

/** What does not hold of a reply that has ended, in words; nothing if all is well. */
function listFaults(world: World, reply: TestedReply, { frames, message }: Stored): string[] {
  const faults: string[] = []
  const expect = (isSo: boolean, what: string) => {
    if (!isSo) faults.push(`${reply.name}: ${what}`)
  }
  expect(
    frames.every(({ seq }, n) => seq === n),
    `numbers have gaps: ${frames.map(({ seq }) => seq)}`,
  )
  const ends = frames.filter(isTerminal)
  expect(ends.length === 1 && frames.at(-1) === ends[0], `ends are ${frames.map(({ type }) => type)}`)
  expect(message !== null && message.status === ends[0]?.type, `message is ${message?.status}`)
  const parts = foldParts(frames)
  expect(same(inOrder(message?.parts), inOrder(parts)), 'the message’s parts are not what its frames say')
  expect(message?.text === textOf(parts), 'the message’s text is not what its frames say')
  listTextFaults(reply, frames, expect)
  listWriterFaults(world, reply, frames, expect)
  for (const { place, name, history } of world.followers) {
    if (place.replyId !== reply.row.replyId) continue
    const bare = (list: Frame[]) => list.map(({ seq, type, text }) => [seq, type, text])
    expect(same(bare(history), bare(frames)), `${name} saw something else than what is stored`)
  }
  return faults
}

type Expect = (isSo: boolean, what: string) => void

function listTextFaults({ upstream }: TestedReply, frames: Frame[], expect: Expect): void {
  const said = saidIn(frames)
  const { whole } = upstream
  const how = frames.at(-1)?.type
  if (how === 'completed') expect(said === whole, `completed, but says ${short(said)} for ${short(whole)}`)
  // Half a character at the break is marked as broken.
  const begun = said.endsWith('\ufffd') && !whole.startsWith(said) ? said.slice(0, -1) : said
  expect(whole.startsWith(begun), `says ${short(said)}, the model ${short(whole)}`)
}

function listWriterFaults(world: World, reply: TestedReply, frames: Frame[], expect: Expect): void {
  const { claims, takeovers, finishes } = world.witness.of(reply.row.replyId)
  expect(finishes === 1, `was finished ${finishes} times`)
  for (const { epoch, said } of takeovers) {
    expect(same(frames.slice(0, said.length), said), `what epoch ${epoch} took over has changed`)
    const late = claims.filter((claim) => claim.epoch < epoch && claim.frame.seq >= said.length)
    expect(
      late.length === 0,
      `an older writer than ${epoch} wrote ${late.map(({ frame }) => frame.seq)} after it was taken over`,
    )
  }
  for (const { frame, epoch } of claims) {
    const stored = frames[frame.seq]
    expect(
      stored?.text === frame.text && stored.type === frame.type,
      `epoch ${epoch} was told that it wrote another ${frame.seq}`,
    )
  }
  const first = reply.upstream.calls.filter(({ after }) => after === null)
  expect(first.length === 1, `${first.length} calls to the model from the beginning`)
  expect(reply.upstream.calls.length <= 1 + takeovers.length, 'more calls to the model than writers')
  expect(reply.ended.length >= 1, 'was never counted')
  expect(reply.ended.length <= 1 + takeovers.length, `was counted ${reply.ended.length} times`)
  const writers = reply.ended.map(({ by }) => by)
  expect(new Set(writers).size === writers.length, `a writer counted twice: ${writers}`)
}

const short = (text: string) => JSON.stringify(text.replace(/={9,}/g, (fill) => `=×${fill.length}`))

/** Everything that does not hold after a schedule. */
export async function findFaults(
  world: World,
  log: ReplyLog,
  findMessage: (id: string) => Promise<StoredMessage | null>,
) {
  const faults = [...world.violations]
  for (const reply of world.replies) {
    if (reply.isDeleted) continue
    const frames = await readWhole(log, reply.row.replyId)
    const message = await findMessage(reply.row.messageId)
    faults.push(...listFaults(world, reply, { frames, message }))
  }
  return faults
}
