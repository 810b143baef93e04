// SPDX-License-Identifier: Apache-2.0
import {
  chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ToolSecrets } from './tool-secrets.ts';

let directory = '';
const isRoot = process.getuid?.() === 0;
const filesOf = (): string => join(directory, '..', 'tools', 'payments');
const of = (owner: { readonly uid: number; readonly gid: number } | null = null): ToolSecrets =>
  new ToolSecrets({ secrets: directory, files: filesOf(), owner });
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'maso-secrets-')), 'secrets');
});
afterEach(() => rmSync(join(directory, '..'), { recursive: true, force: true }));

const invalid = expect.objectContaining({ code: 'TOOL_CREDENTIAL_INVALID' }) as Error;

describe('secrets for tools', () => {
  test.each(
    ['../../etc/passwd', '', 'A', 'a/b', 'a'.repeat(64), '.'],
  )('refuse the name %j', (name) => {
    expect(
      () => of().resolve({ KEY: `gate-secret:${name}` }),
    ).toThrow(invalid);
  });

  test.each(['../bank.sqlite', 'bank', 'bank.secret', '/etc/passwd', '.sqlite', 'a/b.sqlite'])(
    'refuse the file name %j',
    (name) => {
      expect(() => of().resolveCommand([`gate-file:${name}`])).toThrow(invalid);
    },
  );

  test('stand apart from the files of tools, and leave other parts of a command alone', () => {
    const command = of().resolveCommand(['node', 'gate-file:bank.sqlite']);
    expect(command).toEqual(['node', join(filesOf(), 'bank.sqlite')]);
    expect(statSync(filesOf()).mode & 0o777).toBe(0o700);
    expect(existsSync(directory)).toBe(false);
  });

  test.skipIf(!isRoot)('give the files, and none that a link names, to the user of the tools', () => {
    const owner = { uid: 62_900, gid: 62_900 };
    mkdirSync(filesOf(), { recursive: true });
    writeFileSync(join(filesOf(), 'bank.sqlite'), 'books');
    const outside = join(directory, '..', 'outside');
    writeFileSync(outside, 'mine');
    symlinkSync(outside, join(filesOf(), 'link.txt'));
    of(owner).resolveCommand(['gate-file:bank.sqlite']);
    expect([filesOf(), join(filesOf(), 'bank.sqlite')].map((path) => statSync(path).uid)).toEqual([62_900, 62_900]);
    expect(statSync(filesOf()).mode & 0o777).toBe(0o700);
    expect(statSync(outside).uid).toBe(0);
    of(owner).resolve({ KEY: 'gate-secret:bank' });
    expect(statSync(join(directory, 'bank.secret')).uid).toBe(0);
  });

  test('refuse a place of files that is none', () => {
    mkdirSync(join(filesOf(), '..'), { recursive: true });
    writeFileSync(filesOf(), '');
    expect(() => of().resolveCommand(['gate-file:bank.sqlite'])).toThrow(invalid);
  });

  test('refuse a file that others can read, and one that is not a secret', () => {
    const secrets = of();
    secrets.resolve({ KEY: 'gate-secret:bank' });
    const path = join(directory, 'bank.secret');
    chmodSync(path, 0o644);
    expect(() => secrets.resolve({ KEY: 'gate-secret:bank' })).toThrow(invalid);
    chmodSync(path, 0o600);
    writeFileSync(path, 'password');
    expect(() => secrets.resolve({ KEY: 'gate-secret:bank' })).toThrow(invalid);
  });

  test('are made once per name, kept private, and leave other values alone', () => {
    const filled = of().resolve({ KEY: 'gate-secret:bank', OTHER: 'plain' });
    expect(filled['KEY']).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(filled['OTHER']).toBe('plain');
    expect(
      of().resolve({ KEY: 'gate-secret:bank' })['KEY'],
    ).toBe(filled['KEY']);
    expect(
      of().resolve({ KEY: 'gate-secret:two' })['KEY'],
    ).not.toBe(filled['KEY']);
    expect(readdirSync(directory)).toEqual(['bank.secret', 'two.secret']);
    expect(statSync(join(directory, 'bank.secret')).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });
});
