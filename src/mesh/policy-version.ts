// SPDX-License-Identifier: Apache-2.0
import type { MeshBundle } from './mesh.ts';
import type { AppliedChange } from './workflow-change.ts';

/** One version of the mesh file with all it names, as it is kept and handed on. */
export type PolicyVersion = {
  /** From 1; never goes back. */
  readonly version: number;
  readonly digest: string;
  /** An operator's statement over exactly this version; null for one that nobody signed. */
  readonly signed: string | null;
  readonly bundle: MeshBundle;
  /** The change to a workflow that made it of the version before; absent or null: none did. */
  readonly change?: AppliedChange | null;
};
