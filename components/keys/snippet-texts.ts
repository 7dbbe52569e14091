/** Stands in a snippet where the key belongs. */
export const keyPlace = 'alc_…'

/** The name under which a snippet looks for the key. */
const keyVariable = 'AL_CHAT_KEY'

export type Snippet = { value: string; label: string; fence: string; code: string }

type Call = {
  /** Such as `https://chat.example.com/v1`. */
  baseUrl: string
  model: string
  /** The key is written into the code, or read from the environment. */
  isKeyInside: boolean
}

const question = 'Say hello in one sentence.'

const quoted = (text: string) => `'${text.replaceAll(/['\\]/g, '\\$&')}'`

type Write = (call: Call) => string

const writePython: Write = ({ baseUrl, model, isKeyInside }) => `# pip install openai
${isKeyInside ? '' : 'import os\n'}from openai import OpenAI

client = OpenAI(
    base_url=${JSON.stringify(baseUrl)},
    api_key=${isKeyInside ? JSON.stringify(keyPlace) : `os.environ["${keyVariable}"]`},
)
completion = client.chat.completions.create(
    model=${JSON.stringify(model)},
    messages=[{"role": "user", "content": ${JSON.stringify(question)}}],
)
print(completion.choices[0].message.content)`

const keyInNode = (isKeyInside: boolean) => (isKeyInside ? quoted(keyPlace) : `process.env.${keyVariable}`)

const writeNode: Write = ({ baseUrl, model, isKeyInside }) => `// npm install openai
import OpenAI from 'openai'

const client = new OpenAI({
  baseURL: ${quoted(baseUrl)},
  apiKey: ${keyInNode(isKeyInside)},
})
const completion = await client.chat.completions.create({
  model: ${quoted(model)},
  messages: [{ role: 'user', content: ${quoted(question)} }],
})
console.log(completion.choices[0].message.content)`

const writeAiSdk: Write = ({ baseUrl, model, isKeyInside }) => `// npm install ai @ai-sdk/openai
import { createOpenAI } from '@ai-sdk/openai'
import { generateText } from 'ai'

const alChat = createOpenAI({
  baseURL: ${quoted(baseUrl)},
  apiKey: ${keyInNode(isKeyInside)},
})
const { text } = await generateText({
  model: alChat.chat(${quoted(model)}),
  prompt: ${quoted(question)},
})
console.log(text)`

const writeCurl: Write = ({ baseUrl, model, isKeyInside }) => {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: question }] })
  return `curl ${baseUrl}/chat/completions \\
  -H "Authorization: Bearer ${isKeyInside ? keyPlace : `$${keyVariable}`}" \\
  -H "Content-Type: application/json" \\
  -d '${body.replaceAll("'", `'\\''`)}'`
}

const writeLangChain: Write = ({ baseUrl, model, isKeyInside }) => `# pip install langchain-openai
${isKeyInside ? '' : 'import os\n'}from langchain_openai import ChatOpenAI

model = ChatOpenAI(
    base_url=${JSON.stringify(baseUrl)},
    api_key=${isKeyInside ? JSON.stringify(keyPlace) : `os.environ["${keyVariable}"]`},
    model=${JSON.stringify(model)},
)
print(model.invoke(${JSON.stringify(question)}).content)`

// The official SDKs of OpenAI read these by themselves.
const writeShell: Write = ({ baseUrl }) => `export OPENAI_BASE_URL="${baseUrl}"
export OPENAI_API_KEY="${keyPlace}"`

const ways: { value: string; label: string; fence: string; write: Write }[] = [
  { value: 'python', label: 'Python', fence: 'python', write: writePython },
  { value: 'node', label: 'Node', fence: 'javascript', write: writeNode },
  { value: 'ai-sdk', label: 'AI SDK', fence: 'javascript', write: writeAiSdk },
  { value: 'curl', label: 'curl', fence: 'bash', write: writeCurl },
  { value: 'langchain', label: 'LangChain', fence: 'python', write: writeLangChain },
]

const shell = { value: 'shell', label: 'Environment', fence: 'bash', write: writeShell }

/**
 * The same first call for each client. With the key inside, there is one more: the variables that clients of OpenAI
 * read by themselves.
 */
export function writeSnippets(call: Call): Snippet[] {
  return (call.isKeyInside ? [shell, ...ways] : ways).map(({ write, ...way }) => ({
    ...way,
    code: write(call),
  }))
}
