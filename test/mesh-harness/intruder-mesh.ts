// SPDX-License-Identifier: Apache-2.0
import { readMeshOrThrow } from '../../src/adapters/mesh-files.ts';
import type { EntryKind, RecordedEntry } from '../../src/recorder/entry.ts';
import { attackMesh, makePeople } from './attack-mesh.ts';
import { enrolIntruder, type Intruder } from './bus-line.ts';
import { find } from './log-entries.ts';
import { maso, MeshFolder, until, up, type MasoProcess } from './running-mesh.ts';

/** A node without sidecars, and two identities that joined it by hand. */
export type IntruderMesh = {
  readonly folder: MeshFolder;
  readonly node: MasoProcess;
  readonly digest: string;
  readonly mallory: Intruder;
  readonly planner: Intruder;
};

export async function startIntruderMesh(): Promise<IntruderMesh> {
  const limits = ', message_burst: 300, messages_per_second: 50';
  const folder = await MeshFolder.create(attackMesh(makePeople(), limits));
  await maso(['tools', 'pin', folder.meshFile]);
  const { digest } = readMeshOrThrow(folder.meshFile);
  const node = await up(folder, ['--no-sidecars']);
  const mallory = await enrolIntruder(await folder.joinToken('mallory'));
  const planner = await enrolIntruder(await folder.joinToken('planner'));
  return { folder, node, digest, mallory, planner };
}

/** The entry that says what was refused, once it is in the log. */
export function recorded(
  folder: MeshFolder,
  kind: EntryKind,
  code: string,
): Promise<RecordedEntry> {
  const look = async (): Promise<RecordedEntry | null> => find(await folder.entries(), kind, code);
  return until(`${kind} ${code} in the log`, look);
}
