// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleFiles, sampleText } from '../../test/mesh-files/sample.ts';
import { openBuiltinAuthority } from '../adapters/authority-builtin.ts';
import { systemClock } from '../adapters/clock-system.ts';
import { newKey, saveCredential } from '../adapters/credential-keys.ts';
import { openKeyFileKms } from '../adapters/kms-encrypted-file.ts';
import { readMesh } from '../adapters/mesh-files.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { credentialFromPem } from '../identity/credential-pem.ts';
import { mintUlid } from '../message/identifiers.ts';
import { mandateIssue, mandateNarrow, mandateShow, mandateVerify } from './mandate.ts';
import type { CommandIo, ExitCode } from './check.ts';

/** Begun now: what an operator signs ends with the task. */
const task = mintUlid(systemClock(), systemRandom);
const triage = 'spiffe://example.test/agent/triage/i-1';
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'maso-mandate-'));
  const kms = await openKeyFileKms(join(folder, 'kms.key'), systemRandom);
  const authority = await openBuiltinAuthority({
    directory: join(folder, 'authority'),
    trustDomain: 'example.test',
    kms,
    clock: systemClock(),
    random: systemRandom,
  });
  writeFileSync(join(folder, 'bundle.pem'), authority.bundlePem());
  for (const name of ['desk', 'triage', 'payments']) {
    const { privateKey, csrPem } = await newKey();
    const spiffeId = `spiffe://example.test/agent/${name}/i-1`;
    const issued = await authority.issue({ csrPem, spiffeId, lifetimeMs: 600_000 });
    const credential = credentialFromPem(issued.chainPem, privateKey);
    await saveCredential(join(folder, `${name}.pem`), credential);
  }
  const { privateKey } = generateKeyPairSync('ed25519');
  const jwk = privateKey.export({ format: 'jwk' });
  write('alice.jwk', JSON.stringify(jwk));
  chmodSync(join(folder, 'alice.jwk'), 0o600);
  for (const [path, text] of Object.entries(sampleFiles)) write(path, text);
  const alice = `alice: { kty: OKP, crv: Ed25519, x: "${String(jwk.x)}" }`;
  write('mesh/security_mesh.yaml', sampleText.replace(/alice: \{[^}]*\}/, alice));
});

afterAll(() => rmSync(folder, { recursive: true }));

function write(path: string, text: string): void {
  const place = join(folder, path);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, text);
}

type Run = { readonly exit: ExitCode; readonly out: string; readonly err: string };

async function run(act: (io: CommandIo) => Promise<ExitCode>): Promise<Run> {
  const out: string[] = [];
  const err: string[] = [];
  const exit = await act({
    out: (line) => out.push(line), err: (line) => err.push(line), directory: folder,
  });
  return { exit, out: out.join('\n'), err: err.join('\n') };
}

function issue(change: object = {}, as = 'alice'): Promise<Run> {
  write('terms.json', JSON.stringify({
    audience: 'triage',
    task,
    sponsor: 'alice@example.org',
    lifetimeMs: 60_000,
    oispec: null,
    rights: [{
      right: 'request',
      executor: 'payments',
      action: 'pay_invoice',
      constraints: { payee: { oneOf: ['Globex', 'ACME'] } },
      limits: { count: 1, totals: {}, rates: [] },
    }],
    ...change,
  }));
  const key = { key: 'alice.jwk', as, terms: 'terms.json', json: false };
  return run((io) => mandateIssue(key, io));
}

function verify(holder = triage, ofTask = task): Promise<Run> {
  const options = { chain: 'chain', mesh: 'mesh/security_mesh.yaml', bundle: 'bundle.pem' };
  return run((io) => mandateVerify({ ...options, task: ofTask, holder, json: true }, io));
}

describe('maso mandate', () => {
  it('refuses files that are not there, and terms that are none', async () => {
    const absent = { terms: 'nowhere', key: 'alice.jwk', json: false };
    expect((await run((io) => mandateIssue(absent, io))).exit).toBe(2);
    const { err } = await issue({ sponsor: 'two words' });
    expect(err).toContain('MANDATE_TERMS_INVALID at /sponsor');
    expect((await issue({ unknown: 1 })).exit).toBe(1);
    write('chain', 'x');
    expect(await run((io) => mandateShow({ chain: 'chain', state: '', json: true }, io))).toMatchObject({
      exit: 1, out: '{"code":"MANDATE_MALFORMED","path":null}',
    });
  });

  it('refuses a key that others may read', async () => {
    chmodSync(join(folder, 'alice.jwk'), 0o644);
    const { exit, err } = await issue();
    chmodSync(join(folder, 'alice.jwk'), 0o600);
    expect(exit).toBe(1);
    expect(err).toContain('IDENTITY_CREDENTIAL_EXPOSED');
  });

  it('verifies what an operator issued, and refuses it of another holder or task', async () => {
    write('chain', (await issue(oispecOf('triage'))).out);
    expect((await verify()).out).toContain('"verified":true');
    expect((await verify('spiffe://example.test/agent/payments/i-1')).out).toContain(
      'MANDATE_AUDIENCE_MISMATCH',
    );
    expect((await verify(triage, '01K74F0Z00YYYYYYYYYYYYYYYY')).out).toContain(
      'MANDATE_TASK_MISMATCH',
    );
    write('chain', (await issue()).out);
    expect((await verify()).out).toContain('MANDATE_OISPEC_MISMATCH');
  });

  it('shows without claiming proof', async () => {
    write('chain', (await issue()).out);
    const { exit, out } = await run((io) => mandateShow({ chain: 'chain', state: '', json: false }, io));
    expect(exit).toBe(0);
    expect(out).toContain('operator:alice -> agent:triage');
    expect(out).toContain('not verified');
  });

  it('narrows as the holder and as nobody else', async () => {
    write('chain', (await issue()).out);
    write('narrowing.json', JSON.stringify({ audience: 'payments', rights: [] }));
    const options = { chain: 'chain', narrowing: 'narrowing.json', json: true };
    const own = await run((io) => mandateNarrow({ ...options, key: 'triage.pem' }, io));
    expect(own.out).toContain('"depth":2');
    const other = await run((io) => mandateNarrow({ ...options, key: 'desk.pem' }, io));
    expect(other.out).toContain('MANDATE_HOLDER_MISMATCH');
    write('narrowing.json', JSON.stringify({ audience: 'payments', task }));
    const wider = await run((io) => mandateNarrow({ ...options, key: 'triage.pem' }, io));
    expect(wider.exit).toBe(2);
  });
});

function oispecOf(agent: string): { readonly oispec: string | null } {
  const loaded = readMesh(join(folder, 'mesh/security_mesh.yaml'));
  if (!loaded.ok) throw new Error('the sample mesh does not load');
  return { oispec: loaded.mesh.agents.get(agent)?.oispec?.digest ?? null };
}
