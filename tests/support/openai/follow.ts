import type { ServerResponse } from 'node:http'
import { breakConnection } from './journal.ts'
import type { Frame, Production } from './production.ts'
import { StreamWriter } from './stream-writer.ts'
import type { End, Script } from './types.ts'

/** Where and how a stream is broken off. */
type Fault = { end: End; after: number; abrupt: boolean }

const faults: End[] = ['cut_mid_event', 'cut_mid_character', 'cut_before_end', 'stall', 'reset', 'malformed']

/** The fault that a script asks for, if its end is one. */
export function faultOf(script: Script, after: number): Fault | undefined {
  const { end = 'completed' } = script
  return faults.includes(end) ? { end, after, abrupt: script.close === 'abrupt' } : undefined
}

/** Sends the frames of a production from an index on; the answer of whether it came to the proper end. */
export async function follow(
  production: Production,
  response: ServerResponse,
  script: Script,
  options: { from: number; fault?: Fault },
): Promise<boolean> {
  const writer = new StreamWriter(response, script)
  let fault = options.fault
  for await (const frame of production.read(options.from)) {
    if (fault !== undefined && strikes(fault, frame)) {
      if (fault.end !== 'malformed') return strike(fault, frame, response, writer)
      await writer.write('data: {"type":"response.output_text.delta","delta":"oops\n\n')
      fault = undefined
    }
    if (!(await writer.write(frame.sse))) return false
  }
  if (!writer.gone) response.end()
  return true
}

function strikes(fault: Fault, frame: Frame): boolean {
  return frame.terminal === true || (frame.delta === true && frame.before >= fault.after)
}

async function strike(
  fault: Fault,
  frame: Frame,
  response: ServerResponse,
  writer: StreamWriter,
): Promise<boolean> {
  if (fault.end === 'stall') return false
  if (fault.end === 'reset') {
    await breakConnection(response, 'reset')
    return false
  }
  if (fault.end === 'cut_mid_event') await writer.write(frame.sse.slice(0, Math.floor(frame.sse.length / 2)))
  if (fault.end === 'cut_mid_character') await writer.writeBytes(tearCharacter(frame.sse))
  if (fault.abrupt) await breakConnection(response, 'drop')
  else response.end()
  return false
}

/** Puts a character of three bytes where the delta begins and cuts after its first byte. */
function tearCharacter(sse: string): Buffer {
  const multibyte = sse.search(/[\u0080-\uffff]/)
  const at = multibyte < 0 ? Math.floor(sse.length / 2) : multibyte
  return Buffer.concat([Buffer.from(sse.slice(0, at)), Buffer.from('€').subarray(0, 1)])
}
