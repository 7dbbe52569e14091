import { describe, expect, it } from 'vitest'
import { palette, type Token } from '../../tailwind.config'

type Rgb = [number, number, number]

/** Linear sRGB of an `oklch(L C H)` colour, by Björn Ottosson's matrices; out of gamut is clipped, as browsers do. */
function toLinearRgb(colour: string): Rgb {
  const [lightness = 0, chroma = 0, hue = 0] = colour.match(/[\d.]+/g)?.map(Number) ?? []
  const a = chroma * Math.cos((hue * Math.PI) / 180)
  const b = chroma * Math.sin((hue * Math.PI) / 180)
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  const clip = (value: number) => Math.min(1, Math.max(0, value))
  return [
    clip(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    clip(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    clip(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ]
}

function luminance(colour: string): number {
  const [r, g, b] = toLinearRgb(colour)
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((x, y) => x - y)
  return (light + 0.05) / (dark + 0.05)
}

const grounds: Token[] = ['canvas', 'surface', 'raised']
const texts: Token[] = ['ink', 'ink-soft', 'accent', 'good', 'warn', 'bad']
const fills: Token[] = ['accent', 'bad', 'good']

describe.each(['light', 'dark'] as const)('the %s palette', (theme) => {
  const colours = palette[theme]

  it.each(texts.flatMap((text) => grounds.map((ground) => [text, ground] as const)))(
    'lets %s be read on %s (≥ 4.5)',
    (text, ground) => {
      expect(contrast(colours[text], colours[ground])).toBeGreaterThanOrEqual(4.5)
    },
  )

  it.each(fills)('lets the words on a %s button be read (≥ 4.5)', (fill) => {
    expect(contrast(colours['accent-ink'], colours[fill])).toBeGreaterThanOrEqual(4.5)
  })

  it.each(grounds)('draws the edge of what can be operated visibly on %s (≥ 3)', (ground) => {
    expect(contrast(colours.edge, colours[ground])).toBeGreaterThanOrEqual(3)
  })
})

it('measures contrast as WCAG does', () => {
  expect(contrast('oklch(1 0 0)', 'oklch(0 0 0)')).toBeCloseTo(21, 1)
  expect(contrast('oklch(0.5 0.1 20)', 'oklch(0.5 0.1 20)')).toBe(1)
})
