// SPDX-License-Identifier: Apache-2.0
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import type { ToolPins } from '../mesh/mesh.ts';
import { filePin } from '../tool/pins.ts';
import { ToolError } from '../tool/tool-error.ts';

const filesMax = 512;
const fileBytesMax = 16 * 1024 * 1024;
const sourceFile = /\.(?:[cm]?[jt]sx?)$/;

/** Static and literal dynamic imports and requires of relative files. */
const relativeImport =
  /(?:\bfrom|\bimport|\brequire)\s{0,8}\(?\s{0,8}(?:"(\.{1,2}\/[^"\n]{1,512})"|'(\.{1,2}\/[^'\n]{1,512})')/g;

/**
 * The program files a tool's command names, with every file they import by a relative path: absolute
 * path to SHA-256. What they import from packages is held by the lockfile's integrity hashes. The
 * interpreter `node` is the one this process runs on and is not listed.
 */
export function programFiles(command: readonly string[], directory: string): ToolPins['files'] {
  const found = new Map<string, string>();
  const pending = command.map((part) => resolve(directory, part)).filter(isFile);
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (found.has(path)) continue;
    if (found.size >= filesMax) {
      throw new ToolError('TOOL_START_FAILED', `A tool has more than ${filesMax} program files.`);
    }
    const content = readBounded(path);
    found.set(path, filePin(content));
    if (sourceFile.test(path)) pending.push(...relativeImports(path, content.toString('utf8')));
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Throws `ToolError` with `TOOL_PROGRAM_CHANGED` unless the program's files are exactly the pinned
 * ones, and with `TOOL_NOT_PINNED` without pins. A file swapped between this check and its being
 * read by the tool is not seen: keep program files where the tool's user cannot write.
 */
export function checkProgramFiles(
  tool: string,
  command: readonly string[],
  directory: string,
  pins: ToolPins | null,
): void {
  if (pins === null) throw new ToolError('TOOL_NOT_PINNED', `The tool ${tool} has no pins.`);
  const found = programFiles(command, directory);
  const paths = new Set([...Object.keys(pins.files), ...Object.keys(found)]);
  for (const path of paths) {
    const approved = Object.hasOwn(pins.files, path) ? pins.files[path] : undefined;
    if (approved === undefined || approved !== found[path]) {
      throw new ToolError('TOOL_PROGRAM_CHANGED', `A program file of the tool ${tool} has changed.`);
    }
  }
}

function relativeImports(importer: string, source: string): readonly string[] {
  const found: string[] = [];
  for (const match of source.matchAll(relativeImport)) {
    const specifier = match[1] ?? match[2] ?? '';
    const base = resolve(dirname(importer), specifier);
    const candidate = [base, `${base}.js`, `${base}.cjs`, `${base}/index.js`].find(isFile);
    if (candidate !== undefined) found.push(candidate);
  }
  return found;
}

function isFile(path: string): boolean {
  try {
    return isAbsolute(path) && statSync(path).isFile();
  } catch {
    // A part of the command that names no file is an option or a value.
    return false;
  }
}

function readBounded(path: string): Buffer {
  try {
    if (statSync(path).size > fileBytesMax) {
      throw new ToolError('TOOL_START_FAILED', 'A program file is too large to be pinned.');
    }
    return readFileSync(realpathSync(path));
  } catch (cause) {
    if (cause instanceof ToolError) throw cause;
    throw new ToolError('TOOL_START_FAILED', 'A program file cannot be read.', { cause });
  }
}
