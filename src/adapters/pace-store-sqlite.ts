// SPDX-License-Identifier: Apache-2.0
import type { KeptOrder, PaceStore } from '../control/pace.ts';
import { emptyBook, type PaceBook, type Stop, type UnitState } from '../pace/book.ts';
import { unitKey } from '../pace/unit.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';
import { TableGateway } from './table-gateway.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS pace_book (
    slot INTEGER PRIMARY KEY CHECK (slot = 1), value TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS pace_order (id TEXT PRIMARY KEY, signed TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS pace_entry (id TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
`;

type Kept = {
  readonly version: number;
  readonly units: readonly UnitState[];
  readonly stops: readonly Stop[];
};

/** PACE in the node's database; see the port. */
export class SqlitePaceStore implements PaceStore {
  readonly #tables: TableGateway<ReturnType<typeof prepare>>;

  constructor(db: BatchedDatabase) {
    this.#tables = new TableGateway(db, schema, prepare);
  }

  load(): PaceBook {
    const row = this.#tables.statements.book.get();
    if (row === undefined) return emptyBook;
    const { version, units, stops } = JSON.parse(String(row['value'])) as Kept;
    return {
      version,
      units: new Map(units.map((state) => [unitKey(state.unit), state])),
      stops: new Map(stops.map((stop) => [stop.id, stop])),
    };
  }

  async save(
    { version, units, stops }: PaceBook,
    entries: readonly EntryDraft[],
    order: KeptOrder | null,
  ): Promise<void> {
    const kept: Kept = { version, units: [...units.values()], stops: [...stops.values()] };
    await this.#tables.write(({ setBook, addOrder, addEntry }) => {
      setBook.run(JSON.stringify(kept));
      if (order !== null) addOrder.run(order.id, order.signed);
      for (const entry of entries) addEntry.run(entry.id, JSON.stringify(entry));
    });
  }

  order(id: string): string | null {
    const row = this.#tables.statements.order.get(id);
    return row === undefined ? null : String(row['signed']);
  }

  unrecorded(): readonly EntryDraft[] {
    const rows = this.#tables.statements.entries.all();
    return rows.map((row) => JSON.parse(String(row['value'])) as EntryDraft);
  }

  async recorded(entries: readonly EntryDraft[]): Promise<void> {
    await this.#tables.write(({ dropEntry }) => {
      for (const { id } of entries) dropEntry.run(id);
    });
  }
}

function prepare({ database }: BatchedDatabase) {
  return {
    book: database.prepare('SELECT value FROM pace_book'),
    setBook: database.prepare(
      'INSERT INTO pace_book VALUES (1, ?) ON CONFLICT (slot) DO UPDATE SET value = excluded.value',
    ),
    order: database.prepare('SELECT signed FROM pace_order WHERE id = ?'),
    addOrder: database.prepare('INSERT OR IGNORE INTO pace_order VALUES (?, ?)'),
    addEntry: database.prepare('INSERT OR IGNORE INTO pace_entry VALUES (?, ?)'),
    entries: database.prepare('SELECT value FROM pace_entry ORDER BY rowid'),
    dropEntry: database.prepare('DELETE FROM pace_entry WHERE id = ?'),
  };
}
