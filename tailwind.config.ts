import type { Config } from 'tailwindcss'
import plugin from 'tailwindcss/plugin'

/**
 * The product's colours, in OKLCH. Light is warm paper with near-black ink; dark is a cool, dim room, drawn
 * for itself and not inverted. `line` only divides; `edge` outlines what can be operated and has ≥ 3 : 1.
 * tests/unit/look measures the contrast of every pair that is used.
 */
export const palette = {
  light: {
    canvas: 'oklch(0.993 0.002 75)',
    surface: 'oklch(0.968 0.003 70)',
    raised: 'oklch(1 0 0)',
    line: 'oklch(0.906 0.004 70)',
    edge: 'oklch(0.645 0.008 70)',
    ink: 'oklch(0.225 0.006 70)',
    'ink-soft': 'oklch(0.475 0.008 70)',
    accent: 'oklch(0.487 0.165 262)',
    'accent-ink': 'oklch(0.995 0 0)',
    good: 'oklch(0.49 0.115 152)',
    warn: 'oklch(0.52 0.11 68)',
    bad: 'oklch(0.512 0.188 27)',
  },
  dark: {
    canvas: 'oklch(0.187 0.005 265)',
    surface: 'oklch(0.228 0.007 265)',
    raised: 'oklch(0.262 0.009 265)',
    line: 'oklch(0.325 0.01 265)',
    edge: 'oklch(0.56 0.014 265)',
    ink: 'oklch(0.932 0.004 95)',
    'ink-soft': 'oklch(0.735 0.008 265)',
    accent: 'oklch(0.772 0.108 258)',
    'accent-ink': 'oklch(0.19 0.03 262)',
    good: 'oklch(0.79 0.13 155)',
    warn: 'oklch(0.825 0.12 82)',
    bad: 'oklch(0.752 0.132 24)',
  },
} as const

export type Token = keyof (typeof palette)['light']

const asVariables = (colours: Record<Token, string>) =>
  Object.fromEntries(Object.entries(colours).map(([token, value]) => [`--${token}`, value]))

const light = { ...asVariables(palette.light), 'color-scheme': 'light' }
const dark = { ...asVariables(palette.dark), 'color-scheme': 'dark' }

const tokens = Object.keys(palette.light) as Token[]

export default {
  content: ['./app/**/*.{ts,tsx}', './components/**/*.{ts,tsx}'],
  theme: {
    extend: {
      colors: Object.fromEntries(tokens.map((token) => [token, `var(--${token})`])),
      fontFamily: {
        sans: ['var(--font-sans-ext)', 'var(--font-sans)', 'system-ui', 'sans-serif'],
        mono: ['var(--font-mono)', 'ui-monospace', 'monospace'],
      },
      /** Labels, interface, transcript; then two for headings. Nothing is smaller than 12 px. */
      fontSize: {
        label: ['12px', '16px'],
        ui: ['14px', '20px'],
        body: ['16px', '26px'],
        title: ['20px', '28px'],
        display: ['28px', '36px'],
      },
      borderRadius: { control: '8px', panel: '12px', composer: '16px' },
      /** One shadow for what floats, one for the composer. */
      boxShadow: {
        float: '0 0 0 1px var(--line), 0 8px 32px -8px oklch(0 0 0 / 0.24)',
        composer: '0 0 0 1px var(--line), 0 2px 12px -4px oklch(0 0 0 / 0.14)',
      },
      maxWidth: { transcript: '768px', page: '1040px' },
      width: { sidebar: '272px' },
      transitionTimingFunction: { DEFAULT: 'cubic-bezier(0.2, 0, 0, 1)' },
      transitionDuration: { DEFAULT: '140ms' },
    },
  },
  plugins: [
    plugin(({ addBase }) => {
      addBase({
        ':root': light,
        ':root[data-theme=dark]': dark,
        '@media (prefers-color-scheme: dark)': { ':root:not([data-theme=light])': dark },
      })
    }),
  ],
} satisfies Config
