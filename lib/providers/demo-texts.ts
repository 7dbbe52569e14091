import type { ModelFile } from './port'

export { demoLong } from './demo-long'

export const demoWelcome = `Welcome to AL-Chat. I am the **demo model**: a script, not an AI. I do not understand what you write, and nothing that you write leaves this server.

To talk to a real model, open the **vault** and add a key:

- a key from OpenAI, or
- the address of a server that speaks its language, such as Ollama, vLLM or OpenRouter.

The key is encrypted as it is saved, and your next message goes to the model that it opens.

Until then I can show you how answers look. Send one of these words:

| Word | What you will see |
| --- | --- |
| \`markdown\` | headings, lists, a table, a quote |
| \`code\` | programs in several languages |
| \`long\` | an answer of over three thousand words, to scroll, stop and come back to |
| \`slow\` | an answer that takes its time |
| \`error\` | an answer that fails half-way |`

/** Names the files that came with a message. */
export function demoFiles(files: ModelFile[]): string {
  const list = files.map(
    ({ filename, mimeType, bytes }) => `- \`${filename.replaceAll('`', "'")}\`: ${mimeType}, ${bytes} bytes`,
  )
  const got = files.length === 1 ? 'this file' : `these ${files.length} files`
  return `I got ${got} with your message:\n\n${list.join('\n')}\n\nI am the demo model, a script and not an AI, so I cannot look into ${files.length === 1 ? 'it' : 'them'}. Add a key in the **vault** to talk to a model that can.`
}

export const demoShort = `I am the demo model, a script and not an AI, so I have no answer to that. Send \`markdown\`, \`code\`, \`long\`, \`slow\` or \`error\` to see one of my shows, or add a key in the **vault** to talk to a real model.`

export const demoSlow =
  'Some models think before each word, and some networks are slow. This answer comes at two or three words a second. While it does, try to leave the page and come back: what was written is still here, and the rest goes on arriving. Or press Stop, and keep what you have.'

export const demoError =
  'This answer begins like any other. It has a first sentence, and a second. In the middle of the third, the connection to the model'

export const demoMarkdown = `# A page of Markdown

Everything that a model commonly writes, on one page.

## Words

A paragraph may hold *emphasis*, **strong words**, \`inline code\`, ~~what no longer holds~~ and [a link](https://commonmark.org). Letters of other scripts stand beside each other: naïve, Straße, Ελλάδα, Київ, 日本語, العربية.

A line may also break\\
where the writer wants it to.

## Lists

1. Water, 500 g
2. Flour, 700 g
   - half of it wholemeal
   - the rest as white as you like
3. Salt, 14 g
4. Time, which is the part that people leave out

What remains to be done:

- [x] Mix, and let it rest for half an hour
- [x] Fold four times, once every half hour
- [ ] Leave it in the cold until morning
- [ ] Bake at 240 °C for forty minutes

## A table

| Planet | Day | Year | Moons |
| :--- | ---: | ---: | :---: |
| Mercury | 176 days | 88 days | none |
| Earth | 24 hours | 365 days | 1 |
| Mars | 24.7 hours | 687 days | 2 |
| Neptune | 16 hours | 165 years | 16 |

## A quote

> The best way to understand something is to explain it to someone who does not.
>
> > And the second best is to be asked a question about it.

### Small print

A rule ends the page.

---`

export const demoCode = `Four ways to count the words of a text, the most frequent first.

**TypeScript**

\`\`\`ts
export function countWords(text: string): [word: string, count: number][] {
  const counts = new Map<string, number>()
  for (const [word] of text.toLowerCase().matchAll(/\\p{L}+/gu)) {
    counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return [...counts].sort(([, a], [, b]) => b - a)
}
\`\`\`

**Python**

\`\`\`python
import re
from collections import Counter


def count_words(text: str) -> list[tuple[str, int]]:
    """Count words without regard to case."""
    return Counter(re.findall(r"[^\\W\\d_]+", text.lower())).most_common()
\`\`\`

**SQL**, for Postgres:

\`\`\`sql
SELECT lower(word) AS word, count(*) AS uses
FROM documents, regexp_split_to_table(body, '[^[:alpha:]]+') AS word
WHERE word <> ''
GROUP BY 1
ORDER BY uses DESC, word
LIMIT 20;
\`\`\`

**Shell**, which needs nothing else:

\`\`\`bash
tr -cs '[:alpha:]' '\\n' < book.txt | tr '[:upper:]' '[:lower:]' | sort | uniq -c | sort -rn | head -20
\`\`\`

And the answer as JSON, with one line too long for the column:

\`\`\`json
{
  "file": "book.txt",
  "words": [{ "word": "the", "count": 4012 }, { "word": "and", "count": 2871 }, { "word": "whale", "count": 1226 }, { "word": "sea", "count": 433 }]
}
\`\`\`

The change that made the first one faster:

\`\`\`diff
-  const words = text.toLowerCase().split(/[^a-z]+/)
-  words.forEach((word) => counts.set(word, (counts.get(word) ?? 0) + 1))
+  for (const [word] of text.toLowerCase().matchAll(/\\p{L}+/gu)) {
+    counts.set(word, (counts.get(word) ?? 0) + 1)
+  }
\`\`\`

Copy any of them with the button in its corner.`

export const demoContinued = '\n\nAnd so it goes on where it broke off, and this time it ends by itself.'
