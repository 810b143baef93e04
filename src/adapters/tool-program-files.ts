// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { ToolPins } from '../mesh/mesh.ts';
import { filePin } from '../tool/pins.ts';
import { ToolError } from '../tool/tool-error.ts';

const filesMax = 512;
const sourceBytesMax = 16 * 1024 * 1024;
const sourceFile = /\.(?:[cm]?[jt]sx?)$/;
const programFile = /\.(?:[cm]?[jt]sx?|py|rb|pl|php|sh|jar|wasm|node|so)$/;

/** Where commands without a path are looked up, here and by the tool: never by our own PATH. */
export const toolPath = '/usr/local/bin:/usr/bin:/bin';

/** Static imports, and dynamic imports and requires with a literal, of relative files. */
const relativeImport =
  /\b(?:from|import|require)\s{0,8}\(?\s{0,8}["'](\.{1,2}\/[^"'\n]{1,512})["']/g;

/**
 * The program files a tool's command names, with every file they import by a relative path:
 * absolute path to SHA-256. Data files among the arguments are left out, and what is imported from
 * packages is held by the lockfile's integrity hashes. The interpreter `node` is the one this
 * process runs on and is not listed. Throws `ToolError` TOOL_START_FAILED when a file cannot be
 * read, or none is named.
 */
export function programFiles(command: readonly string[], directory: string): ToolPins['files'] {
  const found = new Map<string, string>();
  const pending = [...namedPrograms(command, directory)];
  if (pending.length === 0) {
    throw new ToolError('TOOL_START_FAILED', 'The command names no program file.');
  }
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (found.has(path)) continue;
    if (found.size >= filesMax) {
      throw new ToolError('TOOL_START_FAILED', `A tool has more than ${filesMax} program files.`);
    }
    try {
      if (sourceFile.test(path) && statSync(path).size <= sourceBytesMax) {
        const content = readFileSync(path);
        found.set(path, filePin(content));
        pending.push(...relativeImports(path, content.toString('utf8')));
      } else found.set(path, largeFilePin(path));
    } catch (cause) {
      throw new ToolError('TOOL_START_FAILED', 'A program file cannot be read.', { cause });
    }
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The command itself, the script an interpreter runs, and whatever else looks like a program. */
function namedPrograms(command: readonly string[], directory: string): readonly string[] {
  const [program = '', ...args] = command;
  const direct = programFile.test(program) && isFile(resolve(directory, program));
  const named = direct || program.includes('/');
  const itself = named ? resolve(directory, program) : onToolPath(program);
  const script = args.find((part) => !part.startsWith('-'));
  const scripts = args.filter((part) => programFile.test(part) || part === script);
  const paths = scripts.map((part) => resolve(directory, part));
  if (program !== 'node' && itself !== null) paths.push(itself);
  return paths.filter((path) => isFile(path));
}

function onToolPath(name: string): string | null {
  return toolPath.split(':').map((folder) => join(folder, name)).find(isFile) ?? null;
}

/** The same pin as `filePin`, without holding the file in memory. */
function largeFilePin(path: string): string {
  const hash = createHash('sha256');
  const block = Buffer.alloc(1024 * 1024);
  const file = openSync(path, 'r');
  try {
    for (let read = readSync(file, block); read > 0; read = readSync(file, block)) {
      hash.update(block.subarray(0, read));
    }
  } finally {
    closeSync(file);
  }
  return hash.digest('base64url');
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
      throw new ToolError(
        'TOOL_PROGRAM_CHANGED',
        `A program file of the tool ${tool} has changed.`,
      );
    }
  }
}

function relativeImports(importer: string, source: string): readonly string[] {
  const found: string[] = [];
  for (const match of source.matchAll(relativeImport)) {
    const [, specifier = ''] = match;
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
