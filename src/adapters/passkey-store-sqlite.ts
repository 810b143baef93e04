// SPDX-License-Identifier: Apache-2.0
import type { Passkey, PasskeyStore } from '../console/passkeys.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS passkey (credential TEXT PRIMARY KEY, value TEXT NOT NULL);
`;

/** Passkeys in SQLite; see the port for the contract. Public keys only, so nothing here is secret. */
export class SqlitePasskeyStore implements PasskeyStore {
  readonly #db: BatchedDatabase;
  readonly #passkeys = new Map<string, Passkey>();
  readonly #save;

  constructor(db: BatchedDatabase) {
    this.#db = db;
    db.database.exec(schema);
    this.#save = db.database.prepare('INSERT OR REPLACE INTO passkey VALUES (?, ?)');
    for (const row of db.database.prepare('SELECT value FROM passkey').all()) {
      const passkey = JSON.parse(String(row['value'])) as Passkey;
      this.#passkeys.set(passkey.credential, passkey);
    }
  }

  all(): readonly Passkey[] {
    return [...this.#passkeys.values()];
  }

  get(credential: string): Passkey | null {
    return this.#passkeys.get(credential) ?? null;
  }

  async save(passkey: Passkey): Promise<void> {
    await this.#db.write(() => this.#save.run(passkey.credential, JSON.stringify(passkey)));
    this.#passkeys.set(passkey.credential, passkey);
  }
}
