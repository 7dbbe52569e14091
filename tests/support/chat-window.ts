import { Client, type Json } from './client'

/**
 * A client of the Flask days, written from the contract alone: it begins a session when its window opens, notes what
 * happens, and ends the session when the window closes. Only its base URL is another.
 */
export class ChatWindow {
  private readonly client: Client
  private readonly username: string
  private sessionId = ''

  constructor(baseUrl: string, token: string, username: string) {
    this.client = new Client(baseUrl, token)
    this.username = username
  }

  async open(): Promise<string> {
    const begun = await this.post('/api/session/start', {
      username: this.username,
      metadata: { client: 'ChatWindow', version: '1.0', screen: { width: 1280, height: 800 } },
    })
    this.sessionId = String(begun.session_id)
    return this.sessionId
  }

  note(metrics: Record<string, unknown>): Promise<Json> {
    return this.post('/api/session/metric', { session_id: this.sessionId, metrics })
  }

  close(metrics?: Record<string, unknown>): Promise<Json> {
    return this.post('/api/session/stop', { session_id: this.sessionId, metrics })
  }

  private async post(path: string, body: object): Promise<Json> {
    const answer = await this.client.post(path, body)
    if (answer.status !== 200 || answer.text.includes('"success":false'))
      throw new Error(`${path}: ${answer.status} ${answer.text}`)
    return answer.body
  }
}
