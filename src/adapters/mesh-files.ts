// SPDX-License-Identifier: Apache-2.0
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { diagnostic, MeshError } from '../mesh/diagnostic.ts';
import type { ReadFile } from '../mesh/loading.ts';
import { loadMesh, type LoadedMesh } from '../mesh/load.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { sourceCharactersMax } from '../mesh/yaml-source.ts';

/** Reads whole text files; a device, a folder or anything over the size bound is refused. */
export const readTextFile: ReadFile = (path) => {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  if (!stats.isFile() || !(stats.size <= sourceCharactersMax * 4)) throw new Error('not readable');
  return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
};

/** Loads a mesh file from disk with all the files it names. Never throws. */
export function readMesh(path: string): LoadedMesh {
  const file = resolve(path);
  const start = { file, line: 1, column: 1 };
  try {
    const text = readTextFile(file);
    if (text !== null) return loadMesh(file, text, readTextFile);
    return { ok: false, diagnostics: [diagnostic('MESH_FILE_MISSING', 'error', start)] };
  } catch {
    // Unreadable, not a file, too large or not UTF-8: refused as a whole.
    return { ok: false, diagnostics: [diagnostic('MESH_FILE_UNREADABLE', 'error', start)] };
  }
}

/** The mesh, or `MeshError` with the first error's code and every diagnostic. */
export function readMeshOrThrow(path: string): Mesh {
  const loaded = readMesh(path);
  if (loaded.ok) return loaded.mesh;
  const count = loaded.diagnostics.filter((item) => item.severity === 'error').length;
  throw new MeshError(
    'MESH_REFUSED',
    `The mesh file is refused with ${count} error(s); maso check lists them.`,
    loaded.diagnostics,
  );
}
