import { Client } from 'pg'
import { v7 as newId } from 'uuid'
import {
  deriveKek,
  deriveRootKey,
  type Kek,
  openSecret,
  type Sealed,
  sealSecret,
  unwrapKek,
} from '../../lib/vault/seal'

type KeyRow = { version: number; wrapped: Buffer | null; retired_at: Date | null }
type Row = Sealed & { id: string; scope: string; ownerId: string; version: number }

/** The vault of a running server, as somebody sees it who has the database and the server's secret. */
export class VaultRows {
  readonly #secret: string
  readonly #client: Client

  constructor(url: string, secret: string) {
    this.#secret = secret
    this.#client = new Client({ connectionString: url }).on('error', () => undefined)
  }

  open = () => this.#client.connect()
  close = () => this.#client.end()

  async query<T>(text: string, values: unknown[] = []): Promise<T[]> {
    return (await this.#client.query(text, values)).rows as T[]
  }

  keys = () => this.query<KeyRow>('SELECT version, wrapped, retired_at FROM vault_keys ORDER BY version')

  /** How many records lie under a key. */
  async countUnder(version: number): Promise<number> {
    const [row] = await this.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM credentials WHERE kek_version = $1',
      [version],
    )
    return row?.count ?? 0
  }

  /** Everything that the vault consists of, to be compared. */
  async dump(): Promise<unknown> {
    const credentials = await this.query('SELECT * FROM credentials ORDER BY id')
    return { credentials, keys: await this.query('SELECT * FROM vault_keys ORDER BY version') }
  }

  /** Keeps so many keys of a user, sealed as the server seals them under this key. */
  async seed(userId: string, count: number, version = 1): Promise<void> {
    const kek = await this.#kek(version)
    for (let n = 0; n < count; n += 1) {
      const boundTo = { scope: 'user', ownerId: userId, id: newId(), version: 1 }
      const baseUrl = 'http://127.0.0.1:9/v1'
      const { wrappedKey, sealed } = sealSecret(kek, boundTo, { apiKey: keyOfSeed(boundTo.id), baseUrl })
      await this.query(
        `INSERT INTO credentials (id, scope, user_id, type, base_url, last4, kek_version, wrapped_key, sealed)
         VALUES ($1, 'user', $2, 'openai-compatible', $3, '', $4, $5, $6)`,
        [boundTo.id, userId, baseUrl, version, wrappedKey, sealed],
      )
    }
  }

  /** Opens every record that was seeded, with the key that it names; returns how many hold what was put into them. */
  async countWhole(): Promise<number> {
    const rows = await this.query<Row>(
      `SELECT id, scope, user_id AS "ownerId", version, kek_version AS "kekVersion", wrapped_key AS "wrappedKey", sealed
       FROM credentials WHERE type = 'openai-compatible'`,
    )
    const keks = new Map<number, Kek>()
    for (const { version, retired_at } of await this.keys())
      if (retired_at === null) keks.set(version, await this.#kek(version))
    return rows.filter((row) => {
      const kek = keks.get(row.kekVersion)
      return kek && openSecret(kek, row, row).apiKey === keyOfSeed(row.id)
    }).length
  }

  async #kek(version: number): Promise<Kek> {
    const key = (await this.keys()).find((one) => one.version === version)
    if (!key?.wrapped) return deriveKek(this.#secret, version)
    return unwrapKek(deriveRootKey(this.#secret), version, key.wrapped)
  }
}

function keyOfSeed(id: string): string {
  return `sk-test-${id}`
}
