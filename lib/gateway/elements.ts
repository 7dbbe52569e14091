/** Texts, and the signs that JSON is made of. */
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}:,]/gs

/**
 * The elements of the list at `data` in an object, or of a bare list, each as it is written: parsed and written again,
 * numbers would not be the same. `text` is JSON; without such a list there are none.
 */
export function elementsOf(text: string): string[] {
  const elements: string[] = []
  let [depth, listDepth, begin] = [0, 0, 0]
  let [lastText, name] = ['', '']
  const take = (end: number) => {
    const element = text.slice(begin, end).trim()
    if (element !== '') elements.push(element)
    begin = end + 1
  }
  for (const { 0: token, index } of text.matchAll(tokens)) {
    if (token === '[' || token === '{') {
      depth += 1
      const isList = token === '[' && (depth === 1 || (depth === 2 && name === '"data"'))
      if (listDepth === 0 && isList) [listDepth, begin] = [depth, index + 1]
    } else if (token === ']' || token === '}') {
      if (depth === listDepth) {
        take(index)
        break
      }
      depth -= 1
    } else if (token === ',') {
      if (depth === listDepth) take(index)
    } else if (token !== ':') lastText = token
    else if (depth === 1) name = lastText
  }
  return elements
}
