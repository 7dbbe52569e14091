const aliases: Readonly<Record<string, string>> = {
  'c++': 'cpp',
  'c#': 'csharp',
  cs: 'csharp',
  dockerfile: 'docker',
  golang: 'go',
  gql: 'graphql',
  hs: 'haskell',
  js: 'javascript',
  kt: 'kotlin',
  makefile: 'make',
  md: 'markdown',
  mjs: 'javascript',
  patch: 'diff',
  ps1: 'powershell',
  py: 'python',
  rb: 'ruby',
  rs: 'rust',
  sh: 'bash',
  shell: 'bash',
  shellscript: 'bash',
  ts: 'typescript',
  yml: 'yaml',
  zsh: 'bash',
}

const written: Readonly<Record<string, string>> = {
  bash: 'Shell',
  cpp: 'C++',
  csharp: 'C#',
  css: 'CSS',
  docker: 'Dockerfile',
  graphql: 'GraphQL',
  html: 'HTML',
  ini: 'INI',
  javascript: 'JavaScript',
  json: 'JSON',
  jsx: 'JSX',
  make: 'Makefile',
  php: 'PHP',
  powershell: 'PowerShell',
  sql: 'SQL',
  toml: 'TOML',
  tsx: 'TSX',
  typescript: 'TypeScript',
  xml: 'XML',
  yaml: 'YAML',
}

/** The language that a code fence names, under one name for all its aliases; '' when it names none. */
export function languageOf(fence: string | undefined): string {
  const word =
    fence
      ?.trim()
      .split(/[\s{,]/)[0]
      ?.toLowerCase() ?? ''
  return Object.hasOwn(aliases, word) ? (aliases[word] ?? word) : word
}

/** How people write the language's name. */
export function languageName(language: string): string {
  if (language === '' || language === 'text' || language === 'plaintext') return 'Text'
  if (Object.hasOwn(written, language)) return written[language] ?? language
  return language.slice(0, 1).toUpperCase() + language.slice(1, 24)
}
