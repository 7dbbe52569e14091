import { afterAll, beforeAll } from 'vitest'
import { startDatabase, stopDatabase } from '../../lib/db'
import { postgresLog } from '../../lib/replies/postgres-log'
import { createScratchDatabase, type ScratchDatabase } from '../support/database'
import { describeReplyLog } from '../support/reply-log-contract'
import { deleteConversation, findStoredMessage, insertReader, insertReply } from '../support/reply-rows'

let scratch: ScratchDatabase

beforeAll(async () => {
  scratch = await createScratchDatabase()
  process.env.DATABASE_URL = scratch.url
  await startDatabase()
})
afterAll(async () => {
  await stopDatabase()
  await scratch.drop()
})

describeReplyLog('Postgres', async () => {
  const reader = await insertReader()
  return {
    log: postgresLog,
    openReply: (lease) => insertReply(reader, lease),
    deleteReply: ({ conversationId }) => deleteConversation(conversationId),
    findMessage: ({ messageId }) => findStoredMessage(messageId),
  }
})
