// SPDX-License-Identifier: Apache-2.0
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { draft, ulid } from '../../test/faults/recorder-fixture.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import { entryLine } from '../recorder/entry-line.ts';
import { idsIn, matches } from '../recorder/entry-query.ts';
import type { EntryQuery } from '../recorder/entry-query.ts';
import { RecordIndex } from './record-index-sqlite.ts';
import { openRecordLogFiles } from './record-log-files.ts';

const kinds = ['message.admitted', 'tool.intent', 'message.refused'] as const;
const count = 9_000;
const all: RecordedEntry[] = [];
let root = '';
let directory = '';

/** Appends so many entries as a recorder would, over several segments. */
async function append(entries: number): Promise<void> {
  const log = await openRecordLogFiles({ directory, segmentBytes: 400_000, reserveBytes: 0 });
  let tip = { size: log.size(), recordedAt: all.at(-1)?.recordedAt ?? 0 };
  for (let done = 0; done < entries; done += 1000) {
    const lines = Array.from({ length: Math.min(1000, entries - done) }, () => {
      const at = tip.size;
      const refused = at % 7 === 0;
      const one = draft(at, {
        kind: kinds[at % 3] ?? 'message.admitted',
        actor: `agent:a${at % 5}`,
        code: refused ? 'BUS_REPLAY' : null,
        outcome: refused ? 'NO-GO' : 'GO',
        task: ulid(1_000_000 + Math.floor(at / 100)),
        causedBy: at % 10 === 0 && at > 0 ? [ulid(2_000_000 + at - 1)] : [],
      });
      const next = entryLine(one, tip, 1_700_000_000_000 + at * 10);
      tip = next.tip;
      all.push(JSON.parse(next.line) as RecordedEntry);
      return next.line;
    });
    await log.append(lines, { privileged: false });
  }
  await log.close();
}

const open = async (path = join(root, 'index/record.sqlite')) => {
  const index = await RecordIndex.open({ directory, path });
  await index.catchUp();
  return index;
};
const scan = (query: EntryQuery, limit: number) =>
  all.filter((entry) => matches(entry, query)).toReversed().slice(0, limit);
const places = (entries: readonly RecordedEntry[]) => entries.map(({ sequence }) => sequence);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'maso-index-'));
  directory = join(root, 'log');
  await append(count);
});
afterAll(() => rmSync(root, { recursive: true }));

describe('the index over a log', () => {
  const queries: readonly EntryQuery[] = [
    {},
    { kind: 'tool.intent' },
    { kind: 'tool.intent', actor: 'agent:a3', outcome: 'NO-GO' },
    { code: 'BUS_REPLAY' },
    { code: 'NO_SUCH_CODE' },
    { task: ulid(1_000_007) },
    { message: ulid(2_000_123) },
    { task: ulid(1_000_007), kind: 'message.refused' },
    { since: 1_700_000_050_000, until: 1_700_000_050_500 },
    { actor: 'agent:a1', until: 1_700_000_000_100 },
    { since: 1_800_000_000_000 },
  ];

  it.each(queries)('finds what a reading of the whole log finds: %j', async (query) => {
    const index = await open();
    for (const limit of [1, 17, 100_000]) {
      expect(places(await index.query(query, limit))).toEqual(places(scan(query, limit)));
    }
    index.close();
  });

  it('finds everything that names an id, whole blocks and what came after them', async () => {
    const index = await open();
    for (const id of [ulid(2_000_019), ulid(1_000_050), ulid(8_999), ulid(7), 'nobody']) {
      const named = all.filter((entry) => idsIn(entry).has(id));
      expect(await index.naming(id)).toEqual(named);
    }
    index.close();
  });

  it('takes in what is recorded later', async () => {
    await append(1_500);
    const index = await open();
    expect(places(await index.query({ kind: 'tool.intent' }, 3000))).toEqual(
      places(scan({ kind: 'tool.intent' }, 3000)),
    );
    expect((await index.entry(10_499))?.sequence).toBe(10_499);
    expect(await index.entry(10_500)).toBeNull();
    index.close();
  });

  it('is made again when it belongs to another log, or no longer fits this one', async () => {
    const path = join(root, 'index/other.sqlite');
    (await open(path)).close();
    const broken = new DatabaseSync(path);
    broken.exec("UPDATE about SET value = '1 another-log' WHERE key = 'log'");
    broken.close();
    const again = await open(path);
    expect(places(await again.query({ code: 'BUS_REPLAY' }, 5))).toEqual(places(scan({ code: 'BUS_REPLAY' }, 5)));
    again.close();
    const moved = new DatabaseSync(path);
    moved.exec('UPDATE places SET offset = offset + 3');
    moved.close();
    const mended = await open(path);
    expect(places(await mended.query({ actor: 'agent:a2' }, 5))).toEqual(places(scan({ actor: 'agent:a2' }, 5)));
    mended.close();
  });

  it('shows nothing that is not in the log, whatever is written into it', async () => {
    const path = join(root, 'index/forged.sqlite');
    (await open(path)).close();
    const forged = new DatabaseSync(path);
    forged.exec('UPDATE OR IGNORE mentions SET sequence = 5 WHERE sequence > 100');
    forged.close();
    const index = await open(path);
    for (const entry of await index.query({ task: ulid(1_000_007) }, 100)) {
      expect(entry).toEqual(all[entry.sequence]);
      expect(entry.task).toBe(ulid(1_000_007));
    }
    index.close();
  });

  it('refuses a log that is none', async () => {
    const copy = join(root, 'copy');
    cpSync(directory, copy, { recursive: true });
    writeFileSync(join(copy, 'header.json'), '{}');
    const opened = RecordIndex.open({ directory: copy, path: join(root, 'index/copy.sqlite') });
    await expect(opened).rejects.toMatchObject({ code: 'RECORDER_LOG_BROKEN' });
  });
});
