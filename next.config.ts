import type { NextConfig } from 'next'
import { answerHeaders } from './scripts/answer-headers.mjs'

// The tests build into their own folder, so that they can run beside a server that is serving `.next`.
const distDir = process.env.AL_DIST_DIR ?? '.next'

const { APP_URL = '' } = process.env
const publicHost = URL.canParse(APP_URL) ? [new URL(APP_URL).host] : []

const config: NextConfig = {
  distDir,
  poweredByHeader: false,
  // `npm test` checks the types; a newcomer's first start need not do it again.
  typescript: { ignoreBuildErrors: true },
  reactStrictMode: true,
  // A proxy may put its own name into Host; forms are then posted from the public address.
  experimental: { serverActions: { allowedOrigins: publicHost } },
  devIndicators: false,
  serverExternalPackages: ['pg', 'pino', 'prom-client', '@prisma/client', '@prisma/adapter-pg'],
  rewrites: async () => [
    // The gateway is where OpenAI's clients expect it, too.
    { source: '/v1/:path*', destination: '/api/v1/:path*' },
    // Where the proxy that this replaces had its calls. `/chat` is a page, too: see proxy.ts.
    ...['/auth', '/completion', '/images/generate', '/embeddings', '/models'].map((source) => ({
      source,
      destination: `/api${source}`,
    })),
  ],
  headers: async () => [
    { source: '/:path*', headers: answerHeaders.map(([key, value]) => ({ key, value })) },
  ],
}

export default config
