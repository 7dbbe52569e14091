/*
 * The house rules of lib/: see "The house" in README.md.
 * A module imports only from ranks above its own (a smaller number), never from a peer.
 */
const ranks = [
  ['errors', 'env', 'remember'],
  ['contracts', 'csv', 'log', 'metrics', 'reach'],
  ['db', 'bus', 'paging'],
  ['http', 'audit'],
  ['auth'],
  ['usage', 'sessions', 'vault', 'projects'],
  ['providers'],
  ['replies', 'files', 'knowledge', 'health'],
  ['chat', 'gateway'],
  ['ask', 'boot'],
]

const door = (names) => `^lib/(${names.join('|')})(\\.ts$|/)`

const rankRules = ranks.flatMap((peers, rank) =>
  peers.map((module) => ({
    name: `rank-${rank}-${module}`,
    severity: 'error',
    comment: `lib/${module} may only import from ranks above its own`,
    from: { path: door([module]) },
    to: { path: door([...peers.filter((peer) => peer !== module), ...ranks.slice(rank + 1).flat()]) },
  })),
)

const only = (name, packages, owners) => ({
  name,
  severity: 'error',
  from: { path: '^(app|components|lib|instrumentation)', pathNot: door(owners) },
  to: { path: `^node_modules/(${packages.join('|')})/` },
})

export default {
  forbidden: [
    ...rankRules,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: {
        orphan: true,
        path: '^(app|components|lib)/',
        pathNot: ['^lib/db/generated/', '\\.d\\.ts$', '\\.css$'],
      },
      to: {},
    },
    {
      name: 'private-rooms',
      severity: 'error',
      comment: 'what is in lib/x/ belongs to lib/x alone',
      from: { path: '^(app|components|scripts|prisma|instrumentation)' },
      to: { path: '^lib/[^/]+/', pathNot: '^lib/contracts/' },
    },
    {
      name: 'private-rooms-in-lib',
      severity: 'error',
      from: { path: '^lib/([^/.]+)' },
      to: { path: '^lib/[^/]+/', pathNot: ['^lib/contracts/', '^lib/$1/'] },
    },
    {
      name: 'known-module',
      severity: 'error',
      comment: 'a new module in lib/ needs a rank',
      from: { path: '^lib/', pathNot: door(ranks.flat()) },
      to: {},
    },
    { name: 'lib-below-app', severity: 'error', from: { path: '^lib/' }, to: { path: '^(app|components)/' } },
    {
      name: 'components-know-contracts-only',
      severity: 'error',
      from: { path: '^components/' },
      to: { path: '^(lib|app)/', pathNot: '^lib/contracts/' },
    },
    {
      name: 'app-below-storage',
      severity: 'error',
      from: { path: '^app/' },
      to: { path: door(['db', 'bus']) },
    },
    only('prisma-in-db', ['@prisma', 'pg'], ['db']),
    only('jose-in-auth', ['jose', 'bcryptjs'], ['auth']),
    only('models-in-providers', ['openai', 'ai', '@ai-sdk'], ['providers', 'knowledge', 'gateway']),
  ],
  options: {
    doNotFollow: { path: 'node_modules|lib/db/generated' },
    exclude: { path: '^\\.next' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
