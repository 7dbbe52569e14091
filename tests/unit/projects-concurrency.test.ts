import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { CreateAgent, CreateProject, CreatePrompt } from '@/lib/contracts/projects'
import { db } from '@/lib/db'
import {
  addMember,
  createAgent,
  createProject,
  createPrompt,
  deleteProject,
  ensureDefaultAgent,
  getAgent,
  listAgentVersions,
  removeMember,
  updateAgent,
  updateMember,
} from '@/lib/projects'
import { makeActor, openLibrary, origin } from '../support/library'

let close: () => Promise<void>
let ada: Actor
let eve: Actor

beforeAll(async () => {
  close = await openLibrary()
  ada = await makeActor('ada')
  eve = await makeActor('eve')
})
afterAll(() => close())

const times = <T>(count: number, make: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)))

const makeProject = (name = 'Engines') => createProject(ada, CreateProject.parse({ name }))

test('30 changes of one agent at once make 30 versions, none twice, none lost', async () => {
  const project = await makeProject()
  const agent = await createAgent(ada, project.id, CreateAgent.parse({ name: 'Analyst' }))
  await times(30, (index) => updateAgent(ada, agent.id, { description: `change ${index}` }))
  const { items } = await listAgentVersions(ada, agent.id)
  expect(items.map(({ version }) => version)).toEqual(Array.from({ length: 31 }, (_, index) => 31 - index))
  expect(new Set(items.map(({ settings }) => settings.description)).size).toBe(31)
  const now = await getAgent(ada, agent.id)
  expect(now.version).toBe(31)
  expect(now.description).toBe(items[0]?.settings.description)
})

test('changes of different settings at once all last', async () => {
  const project = await makeProject()
  const agent = await createAgent(ada, project.id, CreateAgent.parse({ name: 'Analyst' }))
  await Promise.all([
    updateAgent(ada, agent.id, { description: 'counts things' }),
    updateAgent(ada, agent.id, { temperature: 0.3 }),
    updateAgent(ada, agent.id, { system_prompt: 'Count.' }),
  ])
  expect(await getAgent(ada, agent.id)).toMatchObject({
    description: 'counts things',
    temperature: 0.3,
    system_prompt: 'Count.',
    version: 4,
  })
})

test('two owners who remove or demote each other at once leave one owner, every time', async () => {
  for (let round = 0; round < 10; round += 1) {
    const { id } = await makeProject()
    await addMember(ada, id, { user_id: eve.userId, role: 'owner' }, origin)
    const outcomes = await Promise.allSettled([
      round % 2
        ? removeMember(ada, { projectId: id, userId: eve.userId }, origin)
        : updateMember(ada, { projectId: id, userId: ada.userId }, { role: 'viewer' }, origin),
      removeMember(eve, { projectId: id, userId: ada.userId }, origin),
      updateMember(eve, { projectId: id, userId: eve.userId }, { role: 'editor' }, origin),
    ])
    const faults = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
    expect(faults.every((code) => ['conflict', 'forbidden', 'not_found'].includes(code))).toBe(true)
    const owners = await db().projectMember.count({ where: { projectId: id, role: 'owner' } })
    expect(owners).toBeGreaterThanOrEqual(1)
  }
})

test('20 visits of a new user at once make one project with one agent', async () => {
  const newcomer = await makeActor('newcomer')
  const agents = await times(20, () => ensureDefaultAgent(newcomer))
  expect(new Set(agents.map(({ id }) => id)).size).toBe(1)
  expect(agents[0]).toMatchObject({ name: 'AL-Chat', model_provider: 'auto', version: 1 })
  const projects = await db().project.findMany({
    where: { members: { some: { userId: newcomer.userId } } },
    include: { agents: true },
  })
  expect(projects.map(({ name }) => name)).toEqual(['Personal'])
  expect(projects[0]?.agents).toHaveLength(1)
})

test('a project that is deleted while others work in it goes whole, and nobody meets a deadlock', async () => {
  for (let round = 0; round < 10; round += 1) {
    const { id } = await makeProject('Doomed')
    await addMember(ada, id, { user_id: eve.userId, role: 'editor' }, origin)
    const agent = await createAgent(ada, id, CreateAgent.parse({ name: 'Analyst' }))
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 6 }, (_, n) =>
        updateAgent(n % 2 ? eve : ada, agent.id, { description: `${n}` }),
      ),
      createPrompt(eve, agent.id, CreatePrompt.parse({ title: 'Sum', content: 'Sum {{it}}' })),
      createAgent(eve, id, CreateAgent.parse({ name: 'Second' })),
      deleteProject(ada, id, { confirm: 'Doomed' }, origin),
      removeMember(ada, { projectId: id, userId: eve.userId }, origin),
    ])
    const faults = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
    expect(faults.filter((code) => code !== 'not_found')).toEqual([])
    expect(await db().project.count({ where: { id } })).toBe(0)
    expect(await db().agent.count({ where: { projectId: id } })).toBe(0)
  }
})
