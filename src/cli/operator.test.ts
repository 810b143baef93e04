// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadOperatorKey } from '../adapters/operator-keys.ts';
import { joinToken } from './join-token.ts';
import { operatorKeygen } from './operator.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'maso-operator-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function keygen(json = false) {
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    out: (line: string) => out.push(line), err: (line: string) => err.push(line), directory,
  };
  const exit = await operatorKeygen({ file: 'alice.jwk', name: 'alice', json }, io);
  return { exit, out: out.join('\n'), err: err.join('\n') };
}

describe('maso operator keygen', () => {
  it('refuses a file that is no key, or that others may read', async () => {
    const file = join(directory, 'alice.jwk');
    writeFileSync(file, '{}', { mode: 0o600 });
    await expect(keygen()).rejects.toMatchObject({ code: 'IDENTITY_OPERATOR_KEY_INVALID' });
    expect(readFileSync(file, 'utf8')).toBe('{}');
    chmodSync(file, 0o644);
    await expect(keygen()).rejects.toMatchObject({ code: 'IDENTITY_CREDENTIAL_EXPOSED' });
  });

  it('writes the private key for its owner only, and prints the public half', async () => {
    const { exit, out, err } = await keygen();
    const file = join(directory, 'alice.jwk');
    const { d, x } = JSON.parse(readFileSync(file, 'utf8'));
    expect(exit).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(out).toBe(`alice: { kty: OKP, crv: Ed25519, x: "${x}" }`);
    expect(`${out}${err}`).not.toContain(d);
    expect((await loadOperatorKey(file)).publicJwk).toMatchObject({ x });
  });

  it('keeps a key that is there, and prints its public half again', async () => {
    const first = await keygen();
    expect(await keygen()).toMatchObject({ exit: 0, out: first.out });
    expect(JSON.parse((await keygen(true)).out)).toMatchObject({ created: false });
  });
});

describe('maso join-token', () => {
  it('says that no mesh runs when there is none', async () => {
    const io = { out: () => {}, err: () => {}, directory };
    await expect(joinToken({ agent: 'triage', state: directory, json: false }, io))
      .rejects.toMatchObject({ code: 'CONTROL_NODE_UNREACHABLE' });
  });
});
