// SPDX-License-Identifier: Apache-2.0
import { numberOf } from '../../src/recorder/entry-number.ts';
import type { RecordedEntry } from '../../src/recorder/entry.ts';
import { verifyLog } from '../../src/verifier/verify.ts';
import { nodeSha256 } from '../../src/verifier/directory.ts';
import { memorySource } from '../faults/recorder-fixture.ts';
import { smallLog } from '../faults/small-log.ts';
import type { Entries } from './log-entries.ts';

/** Entries of agents and sidecars without a number. */
export function unnumbered(entries: Entries): Entries {
  return entries.filter((entry) =>
    /^(agent|sidecar):/.test(entry.actor) && numberOf(entry) === null);
}

/**
 * What the verifier says of the log that a node would have written that said of an entry that it is on
 * record, and dropped it: another tree, signed, in which nothing else is wrong.
 */
export async function codesWithout(entries: Entries): Promise<readonly string[]> {
  const dropped = entries.find((entry) => isSettled(entry, entries));
  if (dropped === undefined) throw new Error('No entry of the log is settled by another one.');
  const { log, key } = await smallLog(entries.filter((entry) => entry !== dropped).map(draftOf));
  const source = memorySource(log);
  const report = await verifyLog({ source, log: key.verifierKey(log.name), sha256: nodeSha256 });
  return report.findings.map(({ code }) => code);
}

function isSettled(entry: RecordedEntry, entries: Entries): boolean {
  const own = numberOf(entry);
  return own !== null && entries.some(({ actor, detail }) => {
    const later = numberOf({ actor, detail });
    const settled = Number(String(detail['writer']).split('/')[2]);
    return later?.run === own.run && later.name === own.name && settled > own.number;
  });
}

function draftOf({ sequence: _sequence, recordedAt: _recordedAt, ...draft }: RecordedEntry) {
  return draft;
}
