// SPDX-License-Identifier: Apache-2.0
import { createHmac, timingSafeEqual } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';

export type Transfer = {
  readonly transfer_id: string;
  readonly invoice: string;
  readonly payee: string;
  readonly amount: number;
};

export type TransferOrder = {
  readonly invoice: string;
  readonly payee: string;
  readonly amountCents: number;
  readonly idempotencyKey: string;
};

export type Receipt = {
  readonly status: 'paid' | 'refused';
  readonly transfer_id: string;
  readonly payee: string;
  readonly amount: number;
};

export type LedgerErrorCode = 'LEDGER_KEY_WRONG' | 'LEDGER_TAMPERED';

export class LedgerError extends Error {
  readonly code: LedgerErrorCode;
  constructor(code: LedgerErrorCode, message: string) {
    super(message);
    this.name = 'LedgerError';
    this.code = code;
  }
}

const openingCents = 10_000_000;

/** Suppliers whose account numbers were checked. The IBANs are examples. */
const verifiedPayees = [
  { name: 'ACME-SUPPLIES', iban: 'DE89370400440532013000' },
  { name: 'BRIGHT-OFFICE', iban: 'GB29NWBK60161331926819' },
  { name: 'CITY-UTILITIES', iban: 'FR1420041010050500013M02606' },
];

const schema = `
  CREATE TABLE IF NOT EXISTS guard (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    mac TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS transfer (
    position INTEGER PRIMARY KEY,
    idempotency_key TEXT NOT NULL UNIQUE,
    invoice TEXT NOT NULL,
    payee TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,
    mac TEXT NOT NULL
  ) STRICT;
`;

/**
 * The bank's books in SQLite. Whoever opens them needs the key that they were made with, and every
 * transfer carries a MAC under that key over itself and the one before it. A process that does not
 * hold the key can therefore not use this code to pay, and a row that it writes into the file by
 * other means is found when the books are next opened. What this does not do: under the same uid
 * the file can still be read, replaced or deleted, and the key can be read from the bank's memory.
 * Run the bank under its own uid for that.
 */
export class Ledger {
  readonly #database: DatabaseSync;
  readonly #key: Buffer;

  constructor(path: string, key: string) {
    this.#key = Buffer.from(key, 'utf8');
    this.#database = new DatabaseSync(path);
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    this.#database.exec(schema);
    this.#checkGuard();
    this.#checkTransfers();
  }

  /**
   * Pays at most once per key: the same order again gets the same receipt, another one is refused.
   */
  transfer(order: TransferOrder): Receipt {
    const { invoice, payee, amountCents, idempotencyKey } = order;
    const amount = amountCents / 100;
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const known = this.#database
        .prepare('SELECT * FROM transfer WHERE idempotency_key = ?')
        .get(idempotencyKey);
      let position = Number(known?.['position'] ?? 0);
      const same =
        known?.['invoice'] === invoice &&
        known['payee'] === payee &&
        known['amount_cents'] === amountCents;
      const pays = known === undefined && amountCents <= this.#balanceCents();
      if (pays) position = this.#append(order);
      this.#database.exec('COMMIT');
      return pays || same
        ? { status: 'paid', transfer_id: transferId(position), payee, amount }
        : { status: 'refused', transfer_id: 'none', payee, amount };
    } catch (failure) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw failure;
    }
  }

  balance(): number {
    return this.#balanceCents() / 100;
  }

  verifiedPayees(): readonly { readonly name: string; readonly iban: string }[] {
    return verifiedPayees;
  }

  history(): readonly Transfer[] {
    const rows = this.#database.prepare('SELECT * FROM transfer ORDER BY position').all();
    return rows.map((row) => ({
      transfer_id: transferId(Number(row['position'])),
      invoice: String(row['invoice']),
      payee: String(row['payee']),
      amount: Number(row['amount_cents']) / 100,
    }));
  }

  close(): void {
    this.#database.close();
  }

  #append(order: TransferOrder): number {
    const last = this.#database
      .prepare('SELECT position, mac FROM transfer ORDER BY position DESC LIMIT 1')
      .get();
    const position = Number(last?.['position'] ?? 0) + 1;
    const { invoice, payee, amountCents, idempotencyKey } = order;
    const previous = last?.['mac'] ?? '';
    const mac = this.#mac([previous, position, idempotencyKey, invoice, payee, amountCents]);
    this.#database
      .prepare('INSERT INTO transfer VALUES (?, ?, ?, ?, ?, ?)')
      .run(position, idempotencyKey, invoice, payee, amountCents, mac);
    return position;
  }

  #balanceCents(): number {
    const row = this.#database.prepare('SELECT total(amount_cents) AS paid FROM transfer').get();
    return openingCents - Number(row?.['paid'] ?? 0);
  }

  #checkGuard(): void {
    const mac = this.#mac(['guard']);
    this.#database.prepare('INSERT INTO guard VALUES (1, ?) ON CONFLICT DO NOTHING').run(mac);
    const stored = this.#database.prepare('SELECT mac FROM guard WHERE id = 1').get()?.['mac'];
    if (!isSame(mac, stored)) {
      this.#database.close();
      throw new LedgerError('LEDGER_KEY_WRONG', 'the books were made with another key');
    }
  }

  #checkTransfers(): void {
    let previous = '';
    for (const row of this.#database.prepare('SELECT * FROM transfer ORDER BY position').all()) {
      const mac = this.#mac([
        previous,
        row['position'],
        row['idempotency_key'],
        row['invoice'],
        row['payee'],
        row['amount_cents'],
      ]);
      if (!isSame(mac, row['mac'])) {
        this.#database.close();
        throw new LedgerError('LEDGER_TAMPERED', 'a transfer was written without the key');
      }
      previous = mac;
    }
  }

  #mac(parts: readonly unknown[]): string {
    return createHmac('sha256', this.#key).update(JSON.stringify(parts)).digest('base64url');
  }
}

function transferId(position: number): string {
  return `T${String(position).padStart(8, '0')}`;
}

function isSame(expected: string, given: unknown): boolean {
  if (typeof given !== 'string' || given.length !== expected.length) return false;
  return timingSafeEqual(Buffer.from(expected), Buffer.from(given));
}
