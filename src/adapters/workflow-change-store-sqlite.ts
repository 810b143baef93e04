// SPDX-License-Identifier: Apache-2.0
import type { ProposedChange, WorkflowChangeStore } from '../control/workflow-change.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';
import { TableGateway } from './table-gateway.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS workflow_change (
    id TEXT PRIMARY KEY, agent TEXT NOT NULL, key TEXT NOT NULL,
    state TEXT NOT NULL, proposed_at INTEGER NOT NULL, value TEXT NOT NULL
  );
  CREATE UNIQUE INDEX IF NOT EXISTS workflow_change_by_key ON workflow_change (agent, key);
`;

/** Proposed changes of workflows in SQLite; see the port. */
export class SqliteWorkflowChangeStore implements WorkflowChangeStore {
  readonly #tables: TableGateway<ReturnType<typeof prepare>>;

  constructor(db: BatchedDatabase) {
    this.#tables = new TableGateway(db, schema, prepare);
  }

  get(id: string): ProposedChange | null {
    return changeOf(this.#tables.statements.get.get(id));
  }

  byKey(spiffeId: string, key: string): ProposedChange | null {
    return changeOf(this.#tables.statements.byKey.get(spiffeId, key));
  }

  latest(limit: number): readonly ProposedChange[] {
    return this.#tables.statements.latest.all(limit).flatMap((row) => changeOf(row) ?? []);
  }

  held(): readonly ProposedChange[] {
    return this.#tables.statements.held.all().flatMap((row) => changeOf(row) ?? []);
  }

  async save(change: ProposedChange): Promise<void> {
    const { id, spiffeId, key, state, proposedAt } = change;
    const value = JSON.stringify(change);
    await this.#tables.write(({ save }) => save.run(id, spiffeId, key, state, proposedAt, value));
  }

  async prune(beforeMs: number): Promise<void> {
    await this.#tables.write(({ prune }) => prune.run(beforeMs));
  }
}

function prepare({ database }: BatchedDatabase) {
  return {
    get: database.prepare('SELECT value FROM workflow_change WHERE id = ?'),
    byKey: database.prepare('SELECT value FROM workflow_change WHERE agent = ? AND key = ?'),
    latest: database.prepare('SELECT value FROM workflow_change ORDER BY id DESC LIMIT ?'),
    held: database.prepare("SELECT value FROM workflow_change WHERE state = 'held'"),
    save: database.prepare(
      `INSERT INTO workflow_change VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id)
       DO UPDATE SET state = excluded.state, value = excluded.value`,
    ),
    prune: database.prepare("DELETE FROM workflow_change WHERE state <> 'held' AND proposed_at < ?"),
  };
}

function changeOf(row: Record<string, unknown> | undefined): ProposedChange | null {
  return row === undefined ? null : (JSON.parse(String(row['value'])) as ProposedChange);
}
