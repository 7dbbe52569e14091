'use client'

import { useState } from 'react'
import type { PromptRecord } from '@/lib/contracts/projects'
import { Button } from '../ui/button'
import { Dialog, DialogActions, DialogBody } from '../ui/dialog'
import { TextareaField } from '../ui/field'
import { fillPrompt, variablesOf } from './prompt-text'

type PromptFormProps = { prompt: PromptRecord; onFill: (text: string) => void; onClose: () => void }

/** Asks for the variables of a prompt and gives its text back. */
export function PromptForm({ prompt, onFill, onClose }: PromptFormProps) {
  const variables = variablesOf(prompt)
  const [values, setValues] = useState<Record<string, string>>(() =>
    Object.fromEntries(variables.map(({ name, initial }) => [name, initial])),
  )
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={prompt.title}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          onFill(fillPrompt(prompt.content, values))
        }}
      >
        <DialogBody>
          {variables.map(({ name }) => (
            <TextareaField
              key={name}
              label={name.replaceAll('_', ' ')}
              rows={1}
              className="min-h-9 max-h-40"
              value={values[name] ?? ''}
              onChange={(event) => setValues({ ...values, [name]: event.target.value })}
            />
          ))}
        </DialogBody>
        <DialogActions>
          <Button look="ghost" onClick={onClose}>
            Cancel
          </Button>
          <Button look="primary" type="submit">
            Insert
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
