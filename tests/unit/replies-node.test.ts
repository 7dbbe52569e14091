import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { AppError } from '../../lib/errors'
import { makeNode, makeOpening, prepareReplies, readToEnd } from '../support/reply-bench'

const rows = prepareReplies()

test('what an answer cost is counted although the ledger was away when it ended', async () => {
  const { node } = makeNode(randomUUID())
  const { replyId } = await rows.insert(node.nodeId, 60_000)
  let tries = 0
  const counted: string[] = []
  const opening = makeOpening(async ({ type }) => {
    if (++tries < 4) throw new AppError('unavailable', 'The database is away.')
    counted.push(type)
  })
  node.open(replyId, opening, async (sink) => void (await sink.text('dear')))
  expect((await readToEnd(node, replyId)).map(({ type }) => type)).toEqual(['text', 'completed'])
  expect(counted).toEqual(['completed'])
})

test('a ledger that refuses for good does not hold the answer up', async () => {
  const { node } = makeNode(randomUUID())
  const { replyId } = await rows.insert(node.nodeId, 60_000)
  const opening = makeOpening(async () => {
    throw new AppError('not_found', 'This user is gone.')
  })
  node.open(replyId, opening, async (sink) => void (await sink.text('dear')))
  expect((await readToEnd(node, replyId)).map(({ type }) => type)).toEqual(['text', 'completed'])
})
