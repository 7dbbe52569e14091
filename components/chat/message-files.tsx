import { FileText } from 'lucide-react'
import type { FilePart, MessageRecord } from '@/lib/contracts/conversations'
import { contentUrl } from './attachment-store'
import { sayBytes } from './file-words'

/** The files that came with a message. */
export function filesOf({ parts }: MessageRecord): FilePart[] {
  return parts.filter((part) => part.type === 'file')
}

function MessageImage({ file }: { file: FilePart }) {
  return (
    <a
      href={contentUrl(file.file_id)}
      target="_blank"
      rel="noreferrer"
      title={`Open ${file.filename}`}
      className="block overflow-hidden rounded-panel bg-surface"
    >
      <img
        src={contentUrl(file.file_id)}
        alt={file.filename}
        loading="lazy"
        className="block h-48 w-auto max-w-full object-contain"
      />
    </a>
  )
}

function MessageFile({ file }: { file: FilePart }) {
  return (
    <a
      href={contentUrl(file.file_id)}
      download={file.filename}
      className="flex min-h-11 max-w-full items-center gap-2 rounded-panel bg-surface px-3 py-2 transition-colors hover:bg-ink/8"
    >
      <FileText size={18} aria-hidden className="shrink-0" />
      <span className="min-w-0">
        <span className="block truncate font-medium text-ui">{file.filename}</span>
        <span className="block text-ink-soft text-label">{sayBytes(file.bytes)}</span>
      </span>
    </a>
  )
}

/** The files of a message: images to be seen, the rest to be saved. */
export function MessageFiles({ files }: { files: readonly FilePart[] }) {
  return (
    <ul aria-label="Files of this message" className="mb-2 flex max-w-[85%] flex-wrap justify-end gap-2">
      {files.map((file) => (
        <li key={file.file_id} className="min-w-0 max-w-full">
          {file.mime_type.startsWith('image/') ? <MessageImage file={file} /> : <MessageFile file={file} />}
        </li>
      ))}
    </ul>
  )
}
