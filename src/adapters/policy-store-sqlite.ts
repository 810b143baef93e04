// SPDX-License-Identifier: Apache-2.0
import type { KeptPolicy, PolicyState, PolicyStore } from '../control/policies.ts';
import type { PolicyVersion } from '../mesh/policy-version.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';
import { TableGateway } from './table-gateway.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS policy (
    version INTEGER PRIMARY KEY, digest TEXT NOT NULL, state TEXT NOT NULL, value TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS policy_highest (
    slot INTEGER PRIMARY KEY CHECK (slot = 1), version INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS policy_founded (
    slot INTEGER PRIMARY KEY CHECK (slot = 1), authority TEXT NOT NULL
  );
`;

/** Versions kept for sidecars that were away; an older one has to be given the mesh file again. */
const versionsKept = 64;

/** Versions of the policy in SQLite; see the port. */
export class SqlitePolicyStore implements PolicyStore {
  readonly #tables: TableGateway<ReturnType<typeof prepare>>;

  constructor(db: BatchedDatabase) {
    this.#tables = new TableGateway(db, schema, prepare);
  }

  inForce(): PolicyVersion | null {
    return policyOf(this.#tables.statements.inForce.get());
  }

  next(): KeptPolicy | null {
    const row = this.#tables.statements.next.get(this.inForce()?.version ?? 0);
    const policy = policyOf(row);
    return policy === null ? null : { ...policy, state: stateOf(row?.['state']) };
  }

  get(version: number): PolicyVersion | null {
    return policyOf(this.#tables.statements.get.get(version));
  }

  before(version: number): PolicyVersion | null {
    return policyOf(this.#tables.statements.before.get(version));
  }

  byDigest(digest: string): PolicyVersion | null {
    return policyOf(this.#tables.statements.byDigest.get(digest));
  }

  highest(): number {
    return Number(this.#tables.statements.highest.get()?.['version'] ?? 0);
  }

  async keep(policy: PolicyVersion, state: PolicyState): Promise<void> {
    const { version, digest } = policy;
    await this.#tables.write(({ dropOthers, keep, raise, prune }) => {
      dropOthers.run();
      keep.run(version, digest, state, JSON.stringify(policy));
      raise.run(version);
      prune.run(versionsKept);
    });
  }

  /** Forgets everything when it was kept under another authority; true when it did. */
  async bindTo(authority: string): Promise<boolean> {
    if (this.#tables.statements.founded.get()?.['authority'] === authority) return false;
    const isEmpty = this.highest() === 0;
    await this.#tables.write(({ clear, clearHighest, found }) => {
      clear.run();
      clearHighest.run();
      found.run(authority);
    });
    return !isEmpty;
  }

  async enforce(version: number): Promise<void> {
    await this.#tables.write(({ enforce }) => enforce.run(version));
  }

  async drop(version: number): Promise<void> {
    await this.#tables.write(({ drop }) => drop.run(version));
  }
}

function prepare({ database }: BatchedDatabase) {
  return {
    inForce: database.prepare(
      "SELECT value FROM policy WHERE state = 'in-force' ORDER BY version DESC LIMIT 1",
    ),
    next: database.prepare(
      `SELECT value, state FROM policy WHERE state <> 'in-force' AND version > ?
       ORDER BY version DESC LIMIT 1`,
    ),
    get: database.prepare("SELECT value FROM policy WHERE version = ? AND state = 'in-force'"),
    before: database.prepare(
      `SELECT value FROM policy WHERE version < ? AND state = 'in-force'
       ORDER BY version DESC LIMIT 1`,
    ),
    byDigest: database.prepare(
      `SELECT value FROM policy WHERE digest = ? AND state = 'in-force'
       ORDER BY version DESC LIMIT 1`,
    ),
    highest: database.prepare('SELECT version FROM policy_highest'),
    // Also of versions that were dropped: a signature is good for one time.
    raise: database.prepare(
      `INSERT INTO policy_highest VALUES (1, ?)
       ON CONFLICT (slot) DO UPDATE SET version = max(version, excluded.version)`,
    ),
    dropOthers: database.prepare("DELETE FROM policy WHERE state <> 'in-force'"),
    // A version is written once: whatever comes under its number later is refused.
    keep: database.prepare('INSERT INTO policy VALUES (?, ?, ?, ?)'),
    founded: database.prepare('SELECT authority FROM policy_founded'),
    found: database.prepare('INSERT OR REPLACE INTO policy_founded VALUES (1, ?)'),
    clear: database.prepare('DELETE FROM policy'),
    clearHighest: database.prepare('DELETE FROM policy_highest'),
    enforce: database.prepare("UPDATE policy SET state = 'in-force' WHERE version = ?"),
    drop: database.prepare("DELETE FROM policy WHERE version = ? AND state <> 'in-force'"),
    prune: database.prepare(
      "DELETE FROM policy WHERE version <= (SELECT max(version) FROM policy WHERE state = 'in-force') - ?",
    ),
  };
}

function policyOf(row: Record<string, unknown> | undefined): PolicyVersion | null {
  return row === undefined ? null : (JSON.parse(String(row['value'])) as PolicyVersion);
}

function stateOf(text: unknown): PolicyState {
  return text === 'staged' ? 'staged' : 'coming';
}
