import { randomUUID } from 'node:crypto'
import { remember } from '../remember'

/** By what name this server holds what it is at work on. */
export const nodeId = (): string => remember('gateway.node', randomUUID)
