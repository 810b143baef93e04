// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SnapshotStore } from '../sidecar/snapshot.ts';
import { writeOwnerOnly } from './credential-file.ts';
import { makeFolders } from './folders.ts';

/** Snapshots of one agent that are kept; their ids ascend with time. */
const keptMax = 16;

/** Snapshots as files of the sidecar's own directory, mode 0600: one that is there is whole. */
export function snapshotFiles(directory: string): SnapshotStore {
  return {
    save: async (id, text) => {
      makeFolders(directory, 0o700);
      await writeOwnerOnly(join(directory, `${id}.json`), Buffer.from(text));
      const kept = (await readdir(directory)).filter((name) => name.endsWith('.json')).toSorted();
      for (const name of kept.slice(0, -keptMax)) await rm(join(directory, name), { force: true });
    },
  };
}
