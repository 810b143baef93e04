// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { codeEntry } from '../process/codes.ts';
import { failureText } from './failure-text.ts';

function failureOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (failure) {
    return failure;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'maso-failure-'));
writeFileSync(join(folder, 'file'), '');
const mendOf = (code: string): string => codeEntry(code)?.mend ?? 'no such code';

it.each([
  ['is not there', join(folder, 'none')],
  ['stands below a file', join(folder, 'file', 'x')],
])('gives a code and a mend for a file that %s, and names it', (_, path) => {
  const said = failureText(failureOf(() => readFileSync(path)));
  expect(said).toContain('CONTROL_FILE_UNUSABLE: ');
  expect(said).toContain(path);
  expect(said).toContain(mendOf('CONTROL_FILE_UNUSABLE'));
});

it('shows no sign in the name of a file that a terminal obeys', () => {
  const said = failureText(failureOf(() => readFileSync(join(folder, 'none\u001b[2K\u009b1A'))));
  expect(said).toContain('none\\u{1b}[2K\\u{9b}1A');
});

it('gives a code and a mend for a folder that is read as a file, which the system does not name', () => {
  const said = failureText(failureOf(() => readFileSync(folder)));
  expect(said).toContain('CONTROL_FILE_UNUSABLE: ');
  expect(said).toContain(mendOf('CONTROL_FILE_UNUSABLE'));
});

it('gives a code and a mend for a host that has no address', async () => {
  const failure: unknown = await lookup('none.invalid').catch((cause: unknown) => cause);
  expect(failureText(failure)).toContain('CONTROL_ADDRESS_UNUSABLE: ');
  expect(failureText(failure)).toContain(mendOf('CONTROL_ADDRESS_UNUSABLE'));
});

it('adds the mend to what a folder of the product throws', () => {
  const failure = Object.assign(new Error('Said here.'), { code: 'KMS_UNAVAILABLE' });
  expect(failureText(failure)).toBe(`KMS_UNAVAILABLE: Said here. (${mendOf('KMS_UNAVAILABLE')})`);
});

it.each([
  ['a code of somebody else', Object.assign(new Error('Said here.'), { code: '__proto__' }), '__proto__: Said here.'],
  ['no code', new Error('Said here.'), 'Said here.'],
  ['what is no error', 'thrown', 'unknown failure'],
])('leaves %s as it is', (_, failure, said) => {
  expect(failureText(failure)).toBe(said);
});

it('is what the command line says of a state directory that is not there', () => {
  const cli = join(import.meta.dirname, 'maso.ts');
  const asked = ['recorder', 'verify', '--state', join(folder, 'none')];
  const { stderr, status } = spawnSync(process.execPath, [cli, ...asked], { encoding: 'utf8' });
  expect(stderr).toContain('maso: CONTROL_FILE_UNUSABLE: ');
  expect(status).toBe(1);
});

it.skipIf(!existsSync('/proc/self')).each([
  ['up', '--state', '/proc/maso', join(import.meta.dirname, '../../examples/mail-to-bank/security_mesh.yaml')],
  ['replay', '--state', '/proc/maso', join(folder, 'file')],
])('is what maso %s says at once of a folder that cannot be made', (...asked) => {
  const cli = join(import.meta.dirname, 'maso.ts');
  const { stderr, status } = spawnSync(process.execPath, [cli, ...asked], { encoding: 'utf8', timeout: 30_000 });
  expect(stderr).toContain(`maso: CONTROL_FILE_UNUSABLE: /proc/maso cannot be used: ENOENT. (${mendOf('CONTROL_FILE_UNUSABLE')})`);
  expect(status).toBe(1);
});
