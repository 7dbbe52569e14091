'use client'

import { X } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { type FormEvent, useState } from 'react'
import { Section } from '@/components/portal/page'
import { Button, IconButton } from '@/components/ui/button'
import { ConfirmDialog } from '@/components/ui/confirm'
import { FailureNote } from '@/components/ui/failure'
import { Field, TextField } from '@/components/ui/field'
import { MoreButton } from '@/components/ui/more-button'
import { request } from '@/components/ui/request'
import { Select, type SelectOption } from '@/components/ui/select'
import { notifyFailure } from '@/components/ui/toast'
import { useListing } from '@/components/ui/use-listing'
import { useSubmit } from '@/components/ui/use-submit'
import type { Listing } from '@/lib/contracts/primitives'
import type { MemberRecord, ProjectRecord, ProjectRole } from '@/lib/contracts/projects'

const roles: SelectOption<ProjectRole>[] = [
  { value: 'viewer', label: 'Viewer', detail: 'Chats with the agents' },
  { value: 'editor', label: 'Editor', detail: 'Also changes agents and prompts' },
  { value: 'owner', label: 'Owner', detail: 'Also manages people and deletes the project' },
]

type MemberListProps = { project: ProjectRecord; first: Listing<MemberRecord>; selfId: string }

/** Who may use a project, and as what. Only owners can change it. */
export function MemberList({ project, first, selfId }: MemberListProps) {
  const router = useRouter()
  const [leaving, setLeaving] = useState<MemberRecord | null>(null)
  const mayManage = project.role === 'owner'
  const { items: members, ...more } = useListing(first, `/api/projects/${project.id}/members`)
  const urlOf = ({ user_id }: MemberRecord) => `/api/projects/${project.id}/members/${user_id}`

  async function changeRole(member: MemberRecord, role: ProjectRole) {
    try {
      await request('PATCH', urlOf(member), { role })
      router.refresh()
    } catch (error) {
      notifyFailure('The role was not changed', error)
    }
  }

  async function remove(member: MemberRecord) {
    await request('DELETE', urlOf(member))
    if (member.user_id === selfId) router.push('/projects')
    router.refresh()
  }

  return (
    <Section title="People">
      <ul className="border-t">
        {members.map((member) => (
          <li key={member.user_id} className="flex min-h-14 items-center gap-3 border-b py-2">
            <div className="flex min-w-0 flex-1 flex-col">
              <span className="truncate text-ui">
                {member.name ?? member.email}
                {member.user_id === selfId ? <span className="text-ink-soft"> (you)</span> : null}
              </span>
              {member.name ? <span className="truncate text-ink-soft text-label">{member.email}</span> : null}
            </div>
            {mayManage ? (
              <div className="w-28 shrink-0">
                <Select
                  aria-label={`Role of ${member.name ?? member.email}`}
                  value={member.role}
                  options={roles}
                  onChange={(role) => void changeRole(member, role)}
                />
              </div>
            ) : (
              <span className="text-ink-soft text-label capitalize">{member.role}</span>
            )}
            {mayManage || member.user_id === selfId ? (
              <IconButton label={`Remove ${member.name ?? member.email}`} onClick={() => setLeaving(member)}>
                <X size={16} aria-hidden />
              </IconButton>
            ) : null}
          </li>
        ))}
      </ul>
      <MoreButton {...more} />
      {mayManage ? <AddMemberForm projectId={project.id} /> : null}
      {leaving ? (
        <ConfirmLeaving
          member={leaving}
          isSelf={leaving.user_id === selfId}
          projectName={project.name}
          onConfirm={() => remove(leaving)}
          close={() => setLeaving(null)}
        />
      ) : null}
    </Section>
  )
}

type ConfirmLeavingProps = {
  member: MemberRecord
  isSelf: boolean
  projectName: string
  onConfirm: () => Promise<void>
  close: () => void
}

function ConfirmLeaving({ member, isSelf, projectName, onConfirm, close }: ConfirmLeavingProps) {
  return (
    <ConfirmDialog
      open
      onOpenChange={close}
      title={isSelf ? `Leave “${projectName}”?` : `Remove ${member.name ?? member.email}?`}
      action={isSelf ? 'Leave project' : 'Remove'}
      onConfirm={onConfirm}
    >
      {isSelf ? 'You lose' : 'They lose'} access to the agents of “{projectName}”. An owner can give it back.
    </ConfirmDialog>
  )
}

function AddMemberForm({ projectId }: { projectId: string }) {
  const router = useRouter()
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<ProjectRole>('viewer')
  const { busy, failure, submit } = useSubmit()

  async function add(event: FormEvent) {
    event.preventDefault()
    const added = await submit(() => request('POST', `/api/projects/${projectId}/members`, { email, role }))
    if (!added) return
    setEmail('')
    router.refresh()
  }

  return (
    <form onSubmit={add} className="flex flex-col gap-3 pt-2">
      <div className="flex flex-wrap items-end gap-2">
        <TextField
          label="Add someone"
          type="email"
          required
          autoComplete="off"
          placeholder="Email of their account"
          fieldClassName="min-w-48 flex-1"
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
        <Field label="As" className="w-28">
          {(wiring) => <Select {...wiring} value={role} options={roles} onChange={setRole} />}
        </Field>
        <Button type="submit" busy={busy}>
          Add
        </Button>
      </div>
      {failure ? <FailureNote failure={failure} /> : null}
    </form>
  )
}
