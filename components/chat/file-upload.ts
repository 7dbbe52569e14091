import type { FileRecord } from '@/lib/contracts/files'
import type { ErrorBody } from '@/lib/contracts/primitives'
import { RequestError } from '../ui/request'

type Upload = { agentId: string; onProgress: (part: number) => void; signal: AbortSignal }

/** Sends a file as it is read; `onProgress` is told how much is gone, from 0 to 1. Throws RequestError. */
export function sendFile(file: File, { agentId, onProgress, signal }: Upload): Promise<FileRecord> {
  const form = new FormData()
  form.set('agent_id', agentId)
  form.set('file', file)
  return new Promise((resolve, reject) => {
    // fetch does not tell how much of a body is gone.
    const call = new XMLHttpRequest()
    call.open('POST', '/api/files/upload')
    call.responseType = 'json'
    call.upload.onprogress = ({ loaded, total }) => onProgress(total === 0 ? 0 : loaded / total)
    call.onload = () => {
      if (call.status === 201) resolve(call.response)
      else reject(new RequestError((call.response as Partial<ErrorBody> | null)?.error ?? {}, call))
    }
    call.onerror = () => reject(new RequestError({ code: 'offline' }, { status: 0 }))
    signal.addEventListener('abort', () => call.abort())
    call.send(form)
  })
}
