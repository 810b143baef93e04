// SPDX-License-Identifier: Apache-2.0
import { dirname, resolve } from 'node:path';

/** `.maso` stands beside the mesh file unless a directory is named. */
export function stateDirectoryOf(state: string, meshFile: string | null): string {
  const base = meshFile === null || state !== '.maso' ? '.' : dirname(meshFile);
  return resolve(base, state);
}
