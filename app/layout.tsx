import type { Metadata, Viewport } from 'next'
import localFont from 'next/font/local'
import { cookies } from 'next/headers'
import type { ReactNode } from 'react'
import './globals.css'

const sans = localFont({
  src: './fonts/inter-latin-wght-normal.woff2',
  weight: '100 900',
  variable: '--font-sans',
  display: 'swap',
})

const sansExtended = localFont({
  src: './fonts/inter-latin-ext-wght-normal.woff2',
  weight: '100 900',
  variable: '--font-sans-ext',
  preload: false,
  adjustFontFallback: false,
  // Fetched only by pages that have such letters.
  declarations: [
    {
      prop: 'unicode-range',
      value:
        'U+0100-02BA, U+02BD-02C5, U+02C7-02CC, U+02CE-02D7, U+02DD-02FF, U+0304, U+0308, U+0329, U+1D00-1DBF, U+1E00-1E9F, U+1EF2-1EFF, U+2020, U+20A0-20AB, U+20AD-20C0, U+2113, U+2C60-2C7F, U+A720-A7FF',
    },
  ],
})

const mono = localFont({
  src: './fonts/geist-mono-latin-wght-normal.woff2',
  weight: '100 900',
  variable: '--font-mono',
  preload: false,
  adjustFontFallback: false,
})

export const metadata: Metadata = {
  title: { default: 'AL-Chat', template: '%s · AL-Chat' },
  description: 'Chat with your team’s models, agents and keys.',
}

export const viewport: Viewport = {
  width: 'device-width',
  initialScale: 1,
  // The composer stays above the keyboard of a phone.
  interactiveWidget: 'resizes-content',
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#f5f4f1' },
    { media: '(prefers-color-scheme: dark)', color: '#1a1b1f' },
  ],
}

export default async function RootLayout({ children }: { children: ReactNode }) {
  // Cookies of this browser, so that the first paint already has the chosen theme and sidebar.
  const jar = await cookies()
  const theme = jar.get('theme')?.value
  const sidebar = jar.get('sidebar')?.value
  return (
    <html
      lang="en"
      className={`${sans.variable} ${sansExtended.variable} ${mono.variable}`}
      data-theme={theme === 'light' || theme === 'dark' ? theme : undefined}
      data-sidebar={sidebar === 'folded' ? sidebar : undefined}
    >
      <body className="bg-canvas font-sans text-ink antialiased">{children}</body>
    </html>
  )
}
