import { describe, expect, it } from 'vitest'
import { BlockColours } from '@/components/chat/highlight'
import { grammars } from '@/components/chat/languages'

const source = ['/* a comment', 'over two lines */', 'const word: string = `a b`', '', 'export { word }']

describe('colours of code', () => {
  it('are the same whether the block comes whole or line by line', async () => {
    const whole = await new BlockColours('typescript').colour(0, source)
    const growing = new BlockColours('typescript')
    const lines = []
    for (const [index, line] of source.entries()) lines.push(...((await growing.colour(index, [line])) ?? []))
    expect(lines).toEqual(whole)
    expect(whole?.[1]?.[0]?.colour).toBe('var(--code-token-comment)')
  })

  it('change when a line before was changed', async () => {
    const colours = new BlockColours('typescript')
    await colours.colour(0, source)
    const [second] = (await colours.colour(0, ['no comment', 'over two lines']))?.slice(1) ?? []
    expect(second?.[0]?.colour).not.toBe('var(--code-token-comment)')
  })

  it('leave every character where it was', async () => {
    const lines = await new BlockColours('typescript').colour(0, source)
    expect(lines?.map((runs) => runs.map(({ text }) => text).join(''))).toEqual(source)
  })

  it('are none where there is no grammar', async () => {
    expect(await new BlockColours('klingon').colour(0, ['x'])).toBeUndefined()
    expect(await new BlockColours('__proto__').colour(0, ['x'])).toBeUndefined()
  })

  it('have a grammar for every language that the page names', async () => {
    for (const [name, load] of Object.entries(grammars)) {
      expect(await load(), name).toHaveProperty('default')
      expect(await new BlockColours(name).colour(0, ['x = 1']), name).toHaveLength(1)
    }
  })

  it('skip a line that is too long to colour', async () => {
    const long = `const a = "${'x'.repeat(3000)}"`
    expect(await new BlockColours('typescript').colour(0, [long])).toEqual([
      [{ text: long, colour: undefined }],
    ])
  })
})
