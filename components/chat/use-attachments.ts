'use client'

import { type DragEvent, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { type Attachment, AttachmentStore } from './attachment-store'
import { keepDraftFiles, readDraftFiles } from './draft-store'

const none: readonly Attachment[] = []

/** The files of a composer; what is uploaded is kept with its draft. */
export function useAttachments(key: string, agentId: string) {
  const keyNow = useRef(key)
  keyNow.current = key
  const [store] = useState(
    () => new AttachmentStore(agentId, (parts) => keepDraftFiles(keyNow.current, parts)),
  )
  const items = useSyncExternalStore(store.subscribe, store.get, () => none)
  useEffect(() => {
    const parts = readDraftFiles(keyNow.current)
    if (parts.length > 0) store.put(parts)
  }, [store])
  return { store, items }
}

/** What makes an element take files that are dropped on it; `isOver` while some are held above it. */
export function useFileDrop(add: (files: FileList) => void) {
  const [isOver, setIsOver] = useState(false)
  const hasFiles = (event: DragEvent) => event.dataTransfer.types.includes('Files')
  const target = {
    onDragOver: (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      event.dataTransfer.dropEffect = 'copy'
      setIsOver(true)
    },
    onDragLeave: (event: DragEvent) => {
      if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setIsOver(false)
    },
    onDrop: (event: DragEvent) => {
      setIsOver(false)
      if (!hasFiles(event)) return
      event.preventDefault()
      add(event.dataTransfer.files)
    },
  }
  return { isOver, target }
}
