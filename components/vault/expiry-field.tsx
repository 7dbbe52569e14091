import { TextField } from '@/components/ui/field'

/** The last day on which a key is good; nothing for one that does not end. */
export function ExpiryField({ value, error }: { value?: string | null; error: string | undefined }) {
  return (
    <TextField
      label="Last day"
      name="expiresAt"
      type="date"
      // A key that has ended may still get another label, so its own day stays allowed.
      min={value ? undefined : new Date().toISOString().slice(0, 10)}
      max="2099-12-31"
      defaultValue={value?.slice(0, 10)}
      hint="Optional. After it, the key is not used."
      error={error}
    />
  )
}

/** The end of the day that was entered, in UTC, as the vault keeps it; null without one. */
export function readExpiry(form: FormData): string | null {
  const day = String(form.get('expiresAt') ?? '')
  return day === '' ? null : `${day}T23:59:59.000Z`
}
