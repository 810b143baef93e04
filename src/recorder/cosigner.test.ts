// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { drafts, smallLog } from '../../test/faults/small-log.ts';
import { fakeClock } from '../../test/faults/recorder-fixture.ts';
import { parseVerifierKey } from '../verifier/checkpoint.ts';
import { witnessIdentity } from '../witness/cosign.ts';
import { Cosigner } from './cosigner.ts';
import type { Witness, WitnessAnswer } from './witness.ts';

const { verifierKey } = witnessIdentity('w1', generateKeyPairSync('ed25519').privateKey);

async function cosigner(answer: () => Promise<WitnessAnswer>) {
  const clock = fakeClock();
  const { log, key, checkpointOf } = await smallLog(drafts(3));
  const witnessKey = parseVerifierKey(verifierKey);
  if (witnessKey === null) throw new Error('no key');
  const witness: Witness = { name: 'w1', add: answer };
  const one = new Cosigner({
    log, clock, logKey: key.verifierKey(log.name), ageMaxMs: 60_000,
    witnesses: [{ key: witnessKey, witness }],
    keep: async () => undefined,
    changed: () => undefined,
  });
  return { one, clock, offer: () => one.offer(checkpointOf(3), 3) };
}

describe('the alarm over cosignatures', () => {
  it('is not raised while there is nothing to cosign', async () => {
    const { one, clock } = await cosigner(() => Promise.reject(new Error('away')));
    clock.advance(600_000);
    expect(one.alarms()).toEqual([]);
  });

  it('is raised when they are older than allowed, and not before', async () => {
    const { one, clock, offer } = await cosigner(() => Promise.reject(new Error('away')));
    offer();
    await one.idle();
    clock.advance(60_000);
    expect(one.alarms()).toEqual([]);
    clock.advance(1);
    expect(one.alarms()).toEqual(['RECORDER_WITNESS_LATE']);
  });
});
