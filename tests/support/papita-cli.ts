import { parseArgs } from 'node:util'
import { startPapita } from './papita.ts'

/*
 * A Papita by itself: `node tests/support/papita-cli.ts --global sk-… --user ada@example.com=sk-… --token …`,
 * with `--hang` to see what a silent one does.
 */
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    token: { type: 'string' },
    global: { type: 'string' },
    user: { type: 'string', multiple: true, default: [] },
    hang: { type: 'boolean', default: false },
  },
})

const papita = await startPapita({ port: Number(values.port), token: values.token })
papita.global.key = values.global ?? null
for (const entry of values.user) {
  const [email = '', key = ''] = entry.split('=', 2)
  papita.users.set(email, key)
}
if (values.hang) papita.play('hang')
console.log(`Papita for tests: ${papita.url}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void papita.close().then(() => process.exit(0)))
}
