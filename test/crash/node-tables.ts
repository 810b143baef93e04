// SPDX-License-Identifier: Apache-2.0
import { sqliteAlignment } from '../../src/adapters/alignment-store-sqlite.ts';
import { SqliteLedgerStore, SqliteLineageStore } from '../../src/adapters/bounds-store-sqlite.ts';
import { SqliteJudgeMemory } from '../../src/adapters/judge-memory-sqlite.ts';
import { SqliteProgressStore } from '../../src/adapters/progress-store-sqlite.ts';
import { sqlitePutAside } from '../../src/adapters/put-aside-store-sqlite.ts';
import type { BatchedDatabase } from '../../src/adapters/sqlite-batch.ts';
import type { JudgeQuestion } from '../../src/judge/judge.ts';

/** One thing that a node has to remember, by a key of the test's own. */
export type Table = { readonly write: (key: string) => Promise<unknown>; readonly has: (key: string) => boolean };

export type TableName =
  | 'marks' | 'steps' | 'judged' | 'alignment' | 'questions' | 'charges' | 'calibrations' | 'suspects' | 'senders' | 'sums' | 'lineage' | 'aside';

const farMs = 4_000_000_000_000;

/** What judges, intents and bounds keep in the node's database. */
export function tablesOf(database: BatchedDatabase): { readonly [name in TableName]: Table } {
  const progress = new SqliteProgressStore(database);
  const alignment = sqliteAlignment(database);
  const judge = new SqliteJudgeMemory(database);
  const ledger = new SqliteLedgerStore(database);
  const lineage = new SqliteLineageStore(database);
  const aside = sqlitePutAside(database);
  const has = (task: string, kind: string): boolean => progress.of(task).some(({ mark }) => mark.kind === kind);
  return {
    marks: {
      write: (key) => progress.add(`marks ${key}`, [{ kind: 'claim', from: 'a' }], 1),
      has: (key) => has(`marks ${key}`, 'claim'),
    },
    steps: {
      write: (key) => progress.note(`steps ${key}`, key, { about: 'a/1', from: 'a', to: 'b', content: key }, 1),
      has: (key) => progress.steps(`steps ${key}`).steps[0]?.content === key,
    },
    judged: {
      write: (key) => progress.add(`judged ${key}`, [{ kind: 'judged', workflow: 'w', phase: 'p', outcome: 'PENDING' }], 1),
      has: (key) => has(`judged ${key}`, 'judged'),
    },
    alignment: {
      write: (key) => alignment.save(key, 42.5),
      has: (key) => alignment.load().get(key) === 42.5,
    },
    questions: {
      // At most so many wait at one time; what is full is answered first.
      write: async (key) => {
        if (!(await judge.queue({ id: key } as JudgeQuestion, 1))) throw new Error('full');
      },
      has: (key) => judge.questions(10_000).some(({ id }) => id === key),
    },
    charges: {
      write: (key) => judge.spend.save({ id: key, task: 't', atMs: farMs, micros: 7, tokens: 9 }),
      has: (key) => judge.spend.since(0).some(({ id, micros, tokens }) => id === key && micros === 7 && tokens === 9),
    },
    senders: {
      write: (key) => judge.saveSender(key, { seen: 3, doubtedUntil: 4, model: 'm', changedUntil: farMs }),
      has: (key) => judge.sender(key)?.changedUntil === farMs,
    },
    calibrations: {
      write: (key) => judge.calibrations.save({ subject: 'fraud', spec: key, caseId: 'c', expected: 'GO', said: 'GO', atMs: 1 }),
      has: (key) => judge.calibrations.answers('fraud', key, 1).length === 1,
    },
    suspects: {
      write: (key) => judge.suspect(key, farMs),
      has: (key) => judge.suspectUntil(key) === farMs,
    },
    sums: {
      write: (key) => ledger.change((sums) => sums.add({ key, endMs: farMs, units: 3 }, farMs)),
      has: (key) => ledger.view.sum(key, 0) === 3,
    },
    lineage: {
      write: (key) => lineage.add([{ task: key, by: 'a', to: 'b' }], 1),
      has: (key) => lineage.handedBy(key, 'b').includes('a'),
    },
    aside: {
      write: (key) => aside.add([{ agent: 'a', message: key }], farMs, 0),
      has: (key) => aside.load(0).some(({ message }) => message === key),
    },
  };
}
