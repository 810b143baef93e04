// SPDX-License-Identifier: Apache-2.0
import { relative, resolve } from 'node:path';
import { isJsonObject, type JsonValue } from '../message/json.ts';
import { loadMesh, type LoadedMesh } from './load.ts';
import type { MeshBundle } from './mesh.ts';

/** All texts of one mesh together; a mesh file names OISpecs and schemas, not data. */
export const bundleLengthMax = 8 * 1024 * 1024;

/**
 * Loads a mesh from texts instead of files, with the same checks. Relative paths of tools and keys
 * stand for files in `directory`. Nothing is read from a disk, so what was signed is what is loaded.
 */
export function loadBundle(bundle: MeshBundle, directory: string): LoadedMesh {
  const file = resolve(directory, bundle.file);
  const read = (path: string): string | null => {
    const name = relative(directory, path);
    return Object.hasOwn(bundle.texts, name) ? (bundle.texts[name] ?? null) : null;
  };
  return loadMesh(file, read(file) ?? '', read);
}

/** Null unless the value is a bundle within its bound. */
export function readBundle(value: JsonValue | undefined): MeshBundle | null {
  if (!isJsonObject(value)) return null;
  const { file, texts, ...unknown } = value;
  if (Object.keys(unknown).length > 0) return null;
  if (typeof file !== 'string' || file === '' || !isJsonObject(texts)) return null;
  let length = 0;
  const read: [string, string][] = [];
  for (const [path, text] of Object.entries(texts)) {
    if (typeof text !== 'string') return null;
    length += path.length + text.length;
    read.push([path, text]);
  }
  return length <= bundleLengthMax ? { file, texts: Object.fromEntries(read) } : null;
}
