// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ToolSecrets } from './tool-secrets.ts';

let directory = '';
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
      () => new ToolSecrets(directory).resolve({ KEY: `gate-secret:${name}` }),
    ).toThrow(invalid);
  });

  test.each(['../bank.sqlite', 'bank', 'bank.secret', '/etc/passwd', '.sqlite', 'a/b.sqlite'])(
    'refuse the file name %j',
    (name) => {
      expect(() => new ToolSecrets(directory).resolveCommand([`gate-file:${name}`])).toThrow(invalid);
    },
  );

  test('stand beside the files of tools, and leave other parts of a command alone', () => {
    const command = new ToolSecrets(directory).resolveCommand(['node', 'gate-file:bank.sqlite']);
    expect(command).toEqual(['node', join(directory, 'bank.sqlite')]);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  test('refuse a file that others can read, and one that is not a secret', () => {
    const secrets = new ToolSecrets(directory);
    secrets.resolve({ KEY: 'gate-secret:bank' });
    const path = join(directory, 'bank.secret');
    chmodSync(path, 0o644);
    expect(() => secrets.resolve({ KEY: 'gate-secret:bank' })).toThrow(invalid);
    chmodSync(path, 0o600);
    writeFileSync(path, 'password');
    expect(() => secrets.resolve({ KEY: 'gate-secret:bank' })).toThrow(invalid);
  });

  test('are made once per name, kept private, and leave other values alone', () => {
    const filled = new ToolSecrets(directory).resolve({ KEY: 'gate-secret:bank', OTHER: 'plain' });
    expect(filled['KEY']).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(filled['OTHER']).toBe('plain');
    expect(
      new ToolSecrets(directory).resolve({ KEY: 'gate-secret:bank' })['KEY'],
    ).toBe(filled['KEY']);
    expect(
      new ToolSecrets(directory).resolve({ KEY: 'gate-secret:two' })['KEY'],
    ).not.toBe(filled['KEY']);
    expect(readdirSync(directory)).toEqual(['bank.secret', 'two.secret']);
    expect(statSync(join(directory, 'bank.secret')).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });
});
