// npm run seed -- EMAIL: gives that account an example project to look around in. With the embedded database, stop the
// server first: its data folder has one owner at a time.
import { findUser } from '../lib/auth'
import { db, startDatabase, stopDatabase } from '../lib/db'
import { createAgent, createProject, createPrompt } from '../lib/projects'

const examples = [
  {
    name: 'Release notes',
    description: 'Turns a list of changes into a note that people read.',
    system_prompt:
      'You write release notes. Lead with what the reader can do now. One line a change, no adjectives.',
    prompt: {
      title: 'From a list of commits',
      content: 'Write the release notes of {{version}} from these commits:\n\n',
      variables: [{ name: 'version' }],
    },
  },
  {
    name: 'Code review',
    description: 'Reads a change as a careful colleague would.',
    system_prompt:
      'You review code. Name defects before matters of taste, each with the line, the reason and a fix.',
    prompt: {
      title: 'Review a diff',
      content: 'Review this change. It is meant to {{intent}}.\n\n',
      variables: [{ name: 'intent' }],
    },
  },
]

async function seed(email: string): Promise<void> {
  await startDatabase()
  try {
    const user = await db().user.findUnique({ where: { email: email.toLowerCase() } })
    const actor = user && (await findUser(user.id))
    if (!actor)
      throw new Error(`There is no account with the email ${email}. Register it in the browser first.`)
    const project = await createProject(actor, { name: 'Examples', description: 'Two agents to try.' })
    for (const { name, description, system_prompt, prompt } of examples) {
      const agent = await createAgent(actor, project.id, { ...defaults, name, description, system_prompt })
      await createPrompt(actor, agent.id, prompt)
    }
    console.log(`${email} has the project Examples now.`)
  } finally {
    await stopDatabase()
  }
}

const defaults = {
  model_provider: 'auto' as const,
  model_name: 'gpt-5-mini',
  temperature: null,
  max_output_tokens: null,
  reasoning_effort: null,
  background: false,
  tools: [],
}

const email = process.argv[2]
if (!email) {
  console.error('usage: npm run seed -- you@example.com')
  process.exit(1)
}
await seed(email).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
