// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Why a file is not scanned. */
export type LeftOut = 'binary' | 'over 16 MiB' | 'a link' | 'no plain file';

const fileBytesMax = 16 * 1024 * 1024;
const skippedFolders = new Set(['.git', '.hg', '.svn', 'node_modules']);

export type FoundFile = { readonly path: string; readonly leftOut: LeftOut | null };

/**
 * The target itself, or what lies below it without folders of version control and `node_modules`, by path. The
 * target may be a link; links below it are not followed. Throws what the system says of what cannot be read.
 */
export function filesUnder(target: string): readonly FoundFile[] {
  const stats = statSync(target);
  if (stats.isFile()) return [{ path: target, leftOut: null }];
  if (!stats.isDirectory()) return [{ path: target, leftOut: 'no plain file' }];
  const files: FoundFile[] = [];
  const pending = [target];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!skippedFolders.has(entry.name)) pending.push(path);
      } else if (entry.isFile()) files.push({ path, leftOut: null });
      else files.push({ path, leftOut: entry.isSymbolicLink() ? 'a link' : 'no plain file' });
    }
  }
  return files.sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** The text of a file, or why it is none. Throws what the system says of a file that cannot be read. */
export function textOf(path: string): { readonly text: string } | { readonly leftOut: LeftOut } {
  if (statSync(path).size > fileBytesMax) return { leftOut: 'over 16 MiB' };
  const bytes = readFileSync(path);
  if (bytes.subarray(0, 8192).includes(0)) return { leftOut: 'binary' };
  return { text: bytes.toString('utf8') };
}
