// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolders } from './folders.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'maso-folders-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const codeOf = (path: string): unknown => {
  try {
    makeFolders(path);
    return null;
  } catch (failure) {
    return Reflect.get(Object(failure), 'code');
  }
};

describe('folders', () => {
  it.skipIf(!existsSync('/proc/self'))('below one where none can be made are an error, and no loop', () => {
    const module = pathToFileURL(join(import.meta.dirname, 'folders.ts')).href;
    const program = `import { makeFolders } from ${JSON.stringify(module)};
      for (const path of ['/proc/maso', '/proc/maso/a/b']) try { makeFolders(path) } catch ({ code, path }) { console.log(code, path) }`;
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 20_000, encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'ENOENT /proc/maso\nENOENT /proc/maso\n' });
  });

  it('are not made below a file, in its place or in that of a link to nothing', () => {
    writeFileSync(join(root, 'file'), '');
    symlinkSync(join(root, 'nothing'), join(root, 'link'));
    expect(codeOf(join(root, 'file'))).toBe('EEXIST');
    expect(codeOf(join(root, 'file/a/b'))).toBe('ENOTDIR');
    expect(codeOf(join(root, 'link'))).toBe('EEXIST');
    expect(codeOf('')).toBe(null);
    expect(codeOf(join(root, 'a\0b'))).toBe('ERR_INVALID_ARG_VALUE');
  });

  it('are made with those above them, each of the mode, and the topmost new one is named', () => {
    expect(makeFolders(join(root, 'a/b/../c'), 0o700)).toBe(join(root, 'a'));
    for (const name of ['a', 'a/c']) expect(statSync(join(root, name)).mode & 0o777).toBe(0o700);
    expect(existsSync(join(root, 'a/b'))).toBe(false);
    expect(makeFolders(join(root, 'a/d'))).toBe(join(root, 'a/d'));
  });

  it('that are there, or are links to such, stay as they are', () => {
    mkdirSync(join(root, 'a'), 0o755);
    symlinkSync(join(root, 'a'), join(root, 'link'));
    expect(makeFolders(join(root, 'a'), 0o700)).toBeUndefined();
    expect(makeFolders(join(root, 'link'), 0o700)).toBeUndefined();
    expect(makeFolders('/', 0o700)).toBeUndefined();
    expect(statSync(join(root, 'a')).mode & 0o777).toBe(0o755);
    expect(makeFolders(join(root, 'link/b'), 0o700)).toBe(join(root, 'link/b'));
  });
});
