// SPDX-License-Identifier: Apache-2.0
import { signCheckpoint } from '../../src/recorder/checkpoint.ts';
import type { EntryDraft } from '../../src/recorder/entry.ts';
import { entryLine } from '../../src/recorder/entry-line.ts';
import { GrowingTree, leafHash } from '../../src/recorder/merkle.ts';
import { MemoryRecordLog } from '../../src/recorder/record-log-memory.ts';
import { draft, startMs, testKey } from './recorder-fixture.ts';
import type { TestKey } from './recorder-fixture.ts';

export type SmallLog = {
  readonly log: MemoryRecordLog;
  readonly key: TestKey;
  /** The checkpoint of so many first entries. */
  readonly checkpointOf: (size: number) => string;
};

/** A log as a recorder leaves it, without the recorder: lines, tiles, checkpoint. */
export async function smallLog(
  drafts: readonly EntryDraft[],
  key: TestKey = testKey(),
  name = 'log-of-the-verify-test',
): Promise<SmallLog> {
  const log = new MemoryRecordLog(name);
  const tree = new GrowingTree();
  const checkpoints = [signCheckpoint({ log: name, size: 0, root: tree.root() }, key.signer)];
  let tip = { size: 0, recordedAt: 0 };
  for (const [at, one] of drafts.entries()) {
    const next = entryLine(one, tip, startMs + at);
    tip = next.tip;
    log.lines.push(Buffer.from(next.line));
    tree.append(leafHash(next.line));
    const root = tree.root();
    checkpoints.push(signCheckpoint({ log: name, size: at + 1, root }, key.signer));
  }
  await log.writeTiles([...tree.takeFullTiles(), ...tree.edge()]);
  const checkpointOf = (size: number) => checkpoints[size] ?? '';
  await log.publish(checkpointOf(drafts.length));
  return { log, key, checkpointOf };
}

export function drafts(count: number): readonly EntryDraft[] {
  return Array.from({ length: count }, (_, at) => draft(at));
}

/** An entry that nobody recorded, with any place in the log. */
export function forgedLine(sequence: number, number = 99): Buffer {
  const tip = { size: sequence, recordedAt: startMs };
  return Buffer.from(entryLine(draft(number), tip, startMs + sequence).line);
}
