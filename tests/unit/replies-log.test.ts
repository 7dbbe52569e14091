import { postgresLog } from '../../lib/replies/postgres-log'
import { prepareReplies } from '../support/reply-bench'
import { describeReplyLog } from '../support/reply-log-contract'
import { deleteConversation, findStoredMessage } from '../support/reply-rows'

const rows = prepareReplies()

describeReplyLog('Postgres', () => ({
  log: postgresLog,
  openReply: ({ nodeId, leaseMs }) => rows.insert(nodeId, leaseMs),
  deleteReply: ({ conversationId }) => deleteConversation(conversationId),
  findMessage: ({ messageId }) => findStoredMessage(messageId),
}))
