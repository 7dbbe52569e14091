'use client'

import { Check, Copy, UserPlus } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { type FormEvent, useState } from 'react'
import { useCopy } from '@/components/chat/use-copy'
import { Button } from '@/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '@/components/ui/dialog'
import { FailureNote } from '@/components/ui/failure'
import { Field, Input, TextField } from '@/components/ui/field'
import { request } from '@/components/ui/request'
import { Select, type SelectOption } from '@/components/ui/select'
import { useSubmit } from '@/components/ui/use-submit'
import type { Role } from '@/lib/contracts/accounts'
import type { CreatedInvitation } from '@/lib/contracts/admin'

const roles: SelectOption<Role>[] = [
  { value: 'member', label: 'Member', detail: 'Has projects, chats and keys' },
  { value: 'admin', label: 'Admin', detail: 'Also manages accounts and everyone’s keys' },
]

/** Invites somebody, and shows the link, once. */
export function InviteButton() {
  const [open, setOpen] = useState(false)
  const [made, setMade] = useState<CreatedInvitation | null>(null)
  const close = () => {
    setOpen(false)
    setMade(null)
  }
  return (
    <>
      <Button look="primary" icon={<UserPlus size={16} aria-hidden />} onClick={() => setOpen(true)}>
        Invite
      </Button>
      <Dialog
        open={open}
        onOpenChange={(next) => (next ? setOpen(true) : close())}
        title={made ? `A link for ${made.email}` : 'Invite someone'}
        description={
          made
            ? 'Send it to them yourself: AL-Chat sends no mail. It is shown this once, and serves once, for seven days.'
            : 'You get a link by which they choose a name and a password.'
        }
      >
        {made ? <LinkPanel url={made.url} close={close} /> : <InviteForm onMade={setMade} close={close} />}
      </Dialog>
    </>
  )
}

type InviteFormProps = { onMade: (made: CreatedInvitation) => void; close: () => void }

function InviteForm({ onMade, close }: InviteFormProps) {
  const router = useRouter()
  const [role, setRole] = useState<Role>('member')
  const { busy, failure, submit } = useSubmit()

  async function invite(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const email = new FormData(event.currentTarget).get('email')
    await submit(async () => {
      onMade(await request<CreatedInvitation>('POST', '/api/admin/users/invite', { email, role }))
      router.refresh()
    })
  }

  return (
    <form onSubmit={invite}>
      <DialogBody className="flex flex-col gap-4">
        {failure && failure.issues.length === 0 ? <FailureNote failure={failure} /> : null}
        <TextField
          label="Email"
          name="email"
          type="email"
          required
          autoFocus
          autoComplete="off"
          maxLength={254}
          error={failure?.issueOf('email')}
        />
        <Field label="As">
          {(wiring) => <Select {...wiring} value={role} options={roles} onChange={setRole} />}
        </Field>
      </DialogBody>
      <DialogActions>
        <Button onClick={close}>Cancel</Button>
        <Button type="submit" look="primary" busy={busy}>
          Make link
        </Button>
      </DialogActions>
    </form>
  )
}

function LinkPanel({ url, close }: { url: string; close: () => void }) {
  const { copied, copy } = useCopy()
  return (
    <>
      <DialogBody>
        <div className="flex items-center gap-2">
          <Input
            aria-label="Link"
            readOnly
            value={url}
            className="font-mono"
            onFocus={(event) => event.currentTarget.select()}
          />
          <Button
            look={copied ? 'secondary' : 'primary'}
            icon={copied ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
            onClick={() => copy(url)}
          >
            {copied ? 'Copied' : 'Copy'}
          </Button>
        </div>
      </DialogBody>
      <DialogActions>
        <Button onClick={close}>Done</Button>
      </DialogActions>
    </>
  )
}
