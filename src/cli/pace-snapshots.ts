// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type JsonObject } from '../message/json.ts';
import { sidecarDirectories } from '../process/directories.ts';
import type { CommandIo } from './check.ts';
import { withIndex, type IndexedOptions } from './recorder-query.ts';
import { stateDirectoryOf } from './state.ts';

/** A snapshot as the log knows it. */
type Recorded = {
  readonly agent: string;
  readonly phase: string;
  readonly at: number;
  readonly id: string;
  readonly digest: string;
};

/** `good`: the file is what was sealed. `changed`, `absent`: it is not; custodians may have another copy. */
type SnapshotState = 'good' | 'changed' | 'absent';

const entriesMax = 1_000;

/** `maso pace snapshots`: each one on record, and whether the file of it is what was sealed. Exit 1 where one changed. */
export async function paceSnapshots(options: IndexedOptions, io: CommandIo): Promise<number> {
  const entries = await withIndex(options, io, (index) => index.query({ kind: 'pace.clamped' }, entriesMax));
  const recorded = entries.flatMap(({ actor, at, detail }) => recordedIn(actor, at, detail));
  const state = stateDirectoryOf(options.state, null);
  const found = await Promise.all(recorded.map(async (one) => ({ ...one, ...(await compared(one, state)) })));
  if (options.json) io.out(JSON.stringify({ snapshots: found }));
  else if (found.length === 0) io.out('No snapshot is on record.');
  else for (const one of found) {
    io.out(`${one.state.padEnd(8)} ${one.agent}  ${one.phase}  ${new Date(one.at).toISOString()}  ${one.id}`);
    io.out(`  ${one.file}`);
  }
  return found.some((one) => one.state === 'changed') ? 1 : 0;
}

function recordedIn(actor: string, at: number, { phase, captured }: JsonObject): readonly Recorded[] {
  const snapshot = captured !== undefined && isJsonObject(captured) ? captured['snapshot'] : undefined;
  if (snapshot === undefined || !isJsonObject(snapshot)) return [];
  const { id, digest } = snapshot;
  if (typeof id !== 'string' || typeof digest !== 'string' || !/^[0-9A-Z]{26}$/.test(id)) return [];
  return [{ agent: actor.slice(actor.indexOf(':') + 1), phase: String(phase), at, id, digest }];
}

async function compared({ agent, id, digest }: Recorded, stateDirectory: string): Promise<{
  readonly state: SnapshotState;
  readonly file: string;
}> {
  const directory = join(sidecarDirectories(stateDirectory, agent).state, 'snapshots');
  const file = join(directory, `${id}.json`);
  const names: readonly string[] = await readdir(directory).catch(() => []);
  if (!names.includes(`${id}.json`)) return { state: 'absent', file };
  const bytes = await readFile(file);
  const isSame = createHash('sha256').update(bytes).digest('base64url') === digest;
  return { state: isSame ? 'good' : 'changed', file };
}
