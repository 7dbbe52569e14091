import http from 'node:http'
import https from 'node:https'
import { Socket } from 'node:net'
import { checkedLookup, findRefusal, type Resolve } from '../reach'
import { remember } from '../remember'

/** With so little room a paused connection is not read from at all: what comes waits in the system's own buffer. */
const options = { keepAlive: true, maxFreeSockets: 64, scheduling: 'lifo' as const, highWaterMark: 1 }

/** The connections of this process, by `http:` or `https:`. */
export function agentFor(protocol: string): http.Agent {
  return remember(`providers.agent.${protocol}`, () => createAgent(protocol))
}

/**
 * Makes a connection for each call, by `http:` or `https:`: one that was kept may turn out to be closed, which only a
 * second try mends. It is said to be kept all the same, or a server that refuses a body early would close it at once,
 * and its answer be lost.
 */
export function freshAgentFor(protocol: string): http.Agent {
  return remember(`providers.agent.fresh.${protocol}`, () =>
    Object.assign(createAgent(protocol), { maxFreeSockets: 0 }),
  )
}

/**
 * Node's own client: a third of the CPU per chunk that fetch takes, no redirects, no proxies from the environment, and
 * Next does not patch it. It connects only where the server may. What is kept open serves the same host and port only,
 * and was checked when it was opened: a call on it costs no check.
 */
export function createAgent(protocol: string, resolve?: Resolve): http.Agent {
  const agent = protocol === 'https:' ? new https.Agent(options) : new http.Agent(options)
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (place, callback) => {
    const target = { host: place.host ?? '', port: Number(place.port) }
    // An address is connected to without being looked up.
    const refusal = findRefusal(target)
    if (refusal === null) return connect({ ...place, lookup: checkedLookup(target, resolve) }, callback)
    callback?.(refusal, new Socket())
    return null
  }
  return agent
}
