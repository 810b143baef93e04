// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loadFiles, sampleFile, sampleFiles, sampleText } from '../../test/mesh-files/sample.ts';
import { logVerifierKey } from '../recorder/checkpoint.ts';
import { witnessIdentity } from '../witness/cosign.ts';

const key = witnessIdentity('example.org/w1', generateKeyPairSync('ed25519').privateKey).verifierKey;
const logKey = logVerifierKey('log', generateKeyPairSync('ed25519').publicKey);
const url = 'https://witness.example';

function load(recorder: object) {
  const text = `${sampleText}\n  recorder: ${JSON.stringify(recorder)}\n`;
  return loadFiles({ ...sampleFiles, [sampleFile]: text });
}

const codesOf = (recorder: object) =>
  load(recorder).diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code);

describe('the recorder in the mesh file', () => {
  it('is refused with a key that is no witness\'s, or that two witnesses share', () => {
    for (const bad of ['x', logKey, key.replace('w1', 'w2')]) {
      expect(codesOf({ witnesses: [{ url, key: bad }] })).toEqual(['MESH_WITNESS_KEY_INVALID']);
    }
    const twice = { witnesses: [{ url, key }, { url: `${url}/2`, key }] };
    expect(codesOf(twice)).toEqual(['MESH_WITNESS_KEY_SHARED']);
  });

  it('is refused with an address that is none, and with what it does not know', () => {
    expect(codesOf({ witnesses: [{ url: 'file:///x', key }] })).toEqual(['MESH_VALUE_INVALID']);
    expect(codesOf({ witness: [] })).toEqual(['MESH_KEY_UNKNOWN']);
    expect(codesOf({ witness_age_max_ms: 0 })).toEqual(['MESH_VALUE_INVALID']);
  });

  it('names witnesses and the age that raises the alarm', () => {
    const loaded = load({ witnesses: [{ url, key }] });
    expect(loaded.ok ? loaded.mesh.recorder : null).toEqual({
      witnesses: [{ url, key }],
      witnessAgeMaxMs: 60_000,
      forensic: null,
      retentionDays: { LOW: 90, MEDIUM: 365, HIGH: 1095, CRITICAL: 2555 },
    });
  });

  it('is refused with a custodian twice, or fewer of them than must open', () => {
    const [a, b] = ['a'.repeat(43), 'b'.repeat(43)];
    const of = (custodians: readonly object[], threshold = 2) =>
      codesOf({ forensic: { custodians, threshold } });
    expect(of([{ name: 'x', key: a }, { name: 'x', key: b }])).toEqual(['MESH_CUSTODIAN_SHARED']);
    expect(of([{ name: 'x', key: a }, { name: 'y', key: a }])).toEqual(['MESH_CUSTODIAN_SHARED']);
    expect(of([{ name: 'x', key: a }, { name: 'y', key: b }], 3)).toEqual(['MESH_CUSTODIANS_FEW']);
    expect(of([{ name: 'x', key: a }, { name: 'y', key: b }], 1)).toEqual(['MESH_VALUE_INVALID']);
    expect(of([{ name: 'x', key: 'short' }, { name: 'y', key: b }])).toEqual(['MESH_VALUE_INVALID']);
    expect(of([{ name: 'x', key: a }, { name: 'y', key: b }])).toEqual([]);
  });
});
