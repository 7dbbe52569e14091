type CheckStatus = 'healthy' | 'degraded' | 'down' | 'off'

export type HealthCheck = { status: CheckStatus; latency_ms?: number; detail?: string }

export type Health = {
  status: 'healthy' | 'degraded'
  service: 'AL-Chat'
  version: string
  uptime_seconds: number
  timestamp: string
  checks: { database: HealthCheck; papita: HealthCheck; provider: HealthCheck; storage: HealthCheck }
}

export type ProviderInfo = {
  configured: boolean
  source: 'papita' | 'vault' | 'environment' | 'demo' | null
  provider: string
  default_model: string
  base_url: string | null
  key_last4: string | null
}
