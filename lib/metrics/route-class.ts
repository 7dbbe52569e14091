/** First words of our addresses; whatever else a caller asks for is `other`. */
const classes = new Set([
  'admin',
  'agents',
  'audit',
  'auth',
  'chat',
  'completion',
  'conversations',
  'credentials',
  'embeddings',
  'events',
  'export',
  'files',
  'health',
  'images',
  'import',
  'keys',
  'launch',
  'messages',
  'metrics',
  'models',
  'openai',
  'projects',
  'prompts',
  'replies',
  'search',
  'session',
  'sessions',
  'share',
  'users',
  'v1',
])

/** What sort of address a path is: one of a few dozen words, so that nobody can make up new ones. */
export function classOf(path: string): string {
  const [, first = '', second = ''] = path.split('/', 3)
  const word = first === 'api' ? second : first
  return classes.has(word) ? word : 'other'
}
