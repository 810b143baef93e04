// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { draft, testKey } from '../../test/faults/recorder-fixture.ts';
import { drafts, smallLog } from '../../test/faults/small-log.ts';
import type { SmallLog } from '../../test/faults/small-log.ts';
import { consistencyProof } from '../recorder/tree-proof.ts';
import { openCheckpoint, parseVerifierKey } from '../verifier/checkpoint.ts';
import { judgeCheckpoint, newLog, witnessIdentity } from './cosign.ts';
import type { WitnessedLog } from './cosign.ts';

const nowSeconds = 1_700_000_000;
const identity = witnessIdentity('example.org/w1', generateKeyPairSync('ed25519').privateKey);
let small: SmallLog;
let fork: SmallLog;
beforeAll(async () => {
  small = await smallLog(drafts(12));
  fork = await smallLog([...drafts(5), draft(70), draft(71), draft(72), draft(73)], small.key);
});

const request = async (log: SmallLog, oldSize: number, size: number) => {
  const grown = await smallLog(drafts(size), log.key);
  const source = log === small ? grown.log : log.log;
  const proof = await consistencyProof(oldSize, size, source.readTile.bind(source));
  const lines = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('');
  return `old ${oldSize}\n${lines}\n${log.checkpointOf(size)}`;
};
const judge = (text: string, state: WitnessedLog | null) =>
  judgeCheckpoint(text, () => state, identity, nowSeconds);
const key = () => small.key.verifierKey(small.log.name);
const after = async (size: number): Promise<WitnessedLog> => {
  const answer = await judge(await request(small, 0, size), newLog(key()));
  if (answer.status !== 200) throw new Error(answer.code);
  return answer.next;
};

describe('a witness', () => {
  it('refuses what is not a request, of an unknown log, or not signed by the log', async () => {
    const state = newLog(key());
    const good = await request(small, 0, 3);
    for (const text of ['', 'old 0\n', 'old x\n\n', good.replace('old 0', 'old 00'), good.slice(0, 40),
      good.replace('old 0\n', 'old 0\nAAAA\n'), `x${good}`, 'x'.repeat(70_000)]) {
      expect(await judge(text, state)).toMatchObject({ status: 400, evidence: false });
    }
    expect(await judge(good, null)).toMatchObject({ status: 404, code: 'WITNESS_LOG_UNKNOWN' });
    const stranger = await smallLog(drafts(3), testKey());
    expect(await judge(await request(stranger, 0, 3), state)).toMatchObject({
      status: 403,
      code: 'WITNESS_SIGNATURE_INVALID',
    });
    const older = await request(small, 0, 3);
    expect(await judge(older.replace('old 0', 'old 4'), state)).toMatchObject({ status: 400 });
  });

  it('says the size it has cosigned when it is asked from another', async () => {
    const state = await after(4);
    for (const oldSize of [0, 3]) {
      const answer = await judge(await request(small, oldSize, 8), state);
      expect(answer).toMatchObject({ status: 409, body: '4\n', evidence: false });
    }
  });

  it('never cosigns a log that was set back, forked, or proven with another proof', async () => {
    const state = await after(7);
    const back = await judge(await request(small, 5, 6), state);
    expect(back).toMatchObject({ status: 409, body: '7\n' });
    const same = `old 7\n\n${fork.checkpointOf(7)}`;
    expect(await judge(same, state)).toMatchObject({
      status: 409, code: 'WITNESS_INCONSISTENT', evidence: true,
    });
    const forked = await request(fork, 7, 9);
    expect(await judge(forked, state)).toMatchObject({ status: 422, evidence: true });
    const good = await request(small, 7, 12);
    const lines = good.split('\n');
    for (let at = 1; at < lines.indexOf(''); at += 1) {
      const without = lines.toSpliced(at, 1).join('\n');
      expect(await judge(without, state)).toMatchObject({ status: 422 });
      const flipped = lines.with(at, Buffer.alloc(32, at).toString('base64')).join('\n');
      expect(await judge(flipped, state)).toMatchObject({ status: 422 });
    }
    expect(await judge(good, state)).toMatchObject({ status: 200 });
  });

  it('cosigns each size on the way, and the same one again', async () => {
    let state = newLog(key());
    for (const size of [0, 1, 2, 5, 5, 8, 12]) {
      const answer = await judge(await request(small, state.size, size), state);
      if (answer.status !== 200) throw new Error(`${size}: ${answer.code}`);
      const witness = parseVerifierKey(identity.verifierKey);
      const opened = await openCheckpoint(answer.cosigned, key(), witness === null ? [] : [witness]);
      expect(opened).toMatchObject({
        state: 'good',
        checkpoint: { size, cosignatures: [{ witness: 'example.org/w1', atSeconds: nowSeconds }] },
      });
      state = answer.next;
    }
  });

  it('signs what nobody can change: time, body or line', async () => {
    const answer = await judge(await request(small, 0, 3), newLog(key()));
    if (answer.status !== 200) throw new Error(answer.code);
    const witness = parseVerifierKey(identity.verifierKey);
    if (witness === null) throw new Error('The verifier does not read the key of the witness.');
    const from = answer.cosigned.indexOf('example.org/w1') + 15;
    for (let at = from; at < answer.cosigned.length - 2; at += 1) {
      const other = answer.cosigned[at] === 'B' ? 'C' : 'B';
      const text = answer.cosigned.slice(0, at) + other + answer.cosigned.slice(at + 1);
      const opened = await openCheckpoint(text, key(), [witness]);
      const counted = opened.state === 'good' ? opened.checkpoint.cosignatures : [];
      expect(counted, String(at)).toEqual([]);
    }
  });

  it('has a name and key as C2SP wants them', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const invalid = expect.objectContaining({ code: 'WITNESS_STATE_INVALID' });
    for (const name of ['', 'two words', 'a+b']) {
      expect(() => witnessIdentity(name, privateKey)).toThrow(invalid);
    }
    expect(() => witnessIdentity('example.org', ec)).toThrow(invalid);
  });
});
