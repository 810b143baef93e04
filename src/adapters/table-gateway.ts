// SPDX-License-Identifier: Apache-2.0
import type { BatchedDatabase } from './sqlite-batch.ts';

/**
 * Table data gateway (Fowler, Patterns of Enterprise Application Architecture): what a store of one
 * SQLite file stands on. Its tables are there, its statements are prepared once, and whatever it
 * writes shares the file's transactions. Throws what SQLite throws when the schema does not fit.
 */
export class TableGateway<Statements> {
  readonly statements: Statements;
  readonly #db: BatchedDatabase;

  /** `schema` must leave tables alone that are there already; `prepare` runs after it. */
  constructor(db: BatchedDatabase, schema: string, prepare: (db: BatchedDatabase) => Statements) {
    this.#db = db;
    db.database.exec(schema);
    this.statements = prepare(db);
  }

  /** See `BatchedDatabase.write`: resolves when it is durable. */
  write<Value>(work: (statements: Statements) => Value): Promise<Value> {
    return this.#db.write(() => work(this.statements));
  }

  /** See `BatchedDatabase.writeSoon`: for what nobody waits on. */
  writeSoon<Value>(work: (statements: Statements) => Value): Promise<Value> {
    return this.#db.writeSoon(() => work(this.statements));
  }
}
