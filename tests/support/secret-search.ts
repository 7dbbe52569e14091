import type { Page } from '@playwright/test'

/** A secret as it may stand somewhere: in clear, in base64 at each of its three offsets, or as in an address. */
export function formsOf(secret: string): string[] {
  const base64 = [0, 1, 2].map((offset) => {
    const whole = Buffer.from('\0'.repeat(offset) + secret).toString('base64')
    // The first and the last characters also depend on what stands beside.
    return whole.slice(offset === 0 ? 0 : 4, -4)
  })
  return [...new Set([secret, encodeURIComponent(secret), ...base64])]
}

/** All that the page and the browser hold of it and could give away, by where it lies; each as one text. */
async function gather(page: Page): Promise<Record<string, string>> {
  const cookies = JSON.stringify(await page.context().cookies())
  const stored = JSON.stringify(await page.context().storageState({ indexedDB: true }))
  const inPage = await page.evaluate(async () => {
    /** Every text that can be reached from there without running any code. */
    const textsFrom = (roots: unknown[]): string => {
      const seen = new Set<unknown>()
      const texts: string[] = []
      const open = [...roots]
      while (open.length > 0 && seen.size < 500_000) {
        const value = open.pop()
        if (typeof value === 'string') texts.push(value)
        if (typeof value !== 'object' || value === null || seen.has(value) || value instanceof Node) continue
        seen.add(value)
        if (value instanceof Map || value instanceof Set) open.push(...value.values())
        for (const property of Object.values(Object.getOwnPropertyDescriptors(value)))
          if ('value' in property) open.push(property.value)
      }
      return texts.join('\n')
    }
    const elements = [...document.querySelectorAll('*')]
    const ofReact = elements.flatMap((element) =>
      Object.entries(element).flatMap(([name, value]) => (name.startsWith('__react') ? [value] : [])),
    )
    const caches = await Promise.all(
      (await window.caches.keys()).map(async (name) =>
        (await (await window.caches.open(name)).keys()).map(({ url }) => url).join('\n'),
      ),
    )
    return {
      html: document.documentElement.outerHTML,
      fields: elements.map((element) => ('value' in element ? String(element.value) : '')).join('\n'),
      react: textsFrom(ofReact),
      localStorage: JSON.stringify({ ...localStorage }),
      sessionStorage: JSON.stringify({ ...sessionStorage }),
      history: JSON.stringify(history.state),
      address: [location.href, document.cookie, window.name, document.referrer].join('\n'),
      performance: JSON.stringify(performance.getEntries()),
      caches: caches.join('\n'),
    }
  })
  return { ...inPage, cookies, stored }
}

/** Where the secret lies, of all that the page and the browser hold; nowhere, if all is well. */
export async function findSecret(page: Page, secret: string): Promise<string[]> {
  const forms = formsOf(secret)
  const places = await gather(page)
  return Object.keys(places).filter((place) => forms.some((form) => places[place]?.includes(form)))
}

/** Whether the secret is anywhere in the memory of the page’s JavaScript, after what nobody holds was let go. */
export async function isInMemory(page: Page, secret: string): Promise<boolean> {
  const session = await page.context().newCDPSession(page)
  const pieces: string[] = []
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => pieces.push(chunk))
  await session.send('HeapProfiler.collectGarbage')
  await session.send('HeapProfiler.takeHeapSnapshot')
  await session.detach()
  return pieces.join('').includes(secret)
}
