// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { bodyOf, FakeSidecar, partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { PaceClamp, PacePhase } from '../pace/pace-view.ts';
import { AgentSidecar } from './agent-sidecar.ts';
import { snapshotBytesMax, takeSnapshot } from './snapshot.ts';

const triage = partyOf('triage');
const stopped = (phase: PacePhase): PaceClamp => ({ phase, allows: 'nothing' });
let fake: FakeSidecar;

beforeEach(() => {
  fake = new FakeSidecar('payments');
});

async function receive(count: number, text = 'an invoice'): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const body = bodyOf(fake.envelopeFrom(triage, { payload: { text } }));
    await fake.store.receive({ body, state: 'pending', entries: [], incarnation: null, reply: null }).durable;
  }
}

describe('what an agent stood in', () => {
  test('is not captured while it goes on, or is only isolated', async () => {
    expect(await takeSnapshot(stopped('ALTERNATE'), 1, fake.context)).toBeNull();
    expect(await takeSnapshot({ phase: 'CONTINGENCY', allows: 'supervised' }, 1, fake.context)).toBeNull();
    expect(fake.snapshots.size).toBe(0);
  });

  test.each(['CONTINGENCY', 'EMERGENCY'] as const)('is captured in %s with the messages that waited, and sealed by its digest', async (phase) => {
    await receive(2);
    const snapshot = await takeSnapshot(stopped(phase), 7, fake.context);
    const text = fake.snapshots.get(snapshot?.id ?? '') ?? '';
    expect(snapshot).toEqual({
      id: snapshot?.id, left: 0, bytes: Buffer.byteLength(text), digest: createHash('sha256').update(text).digest('base64url'),
    });
    expect(JSON.parse(text)).toMatchObject({
      format: 'maso-snapshot/1', agent: 'payments', phase, paceVersion: 7,
      messages: [{ from: 'triage', state: 'pending', payload: { text: 'an invoice' } }, {}],
    });
    expect(fake.link.kept).toEqual([]);
  });

  test('goes on record without a word of it', async () => {
    await receive(1, 'the secret of the house');
    const sidecar = new AgentSidecar(new FakeSidecar('payments', {
      store: fake.store, snapshots: fake.context.snapshots, recorder: fake.recorder, spool: fake.context.spool,
      pace: { clamp: () => stopped('EMERGENCY') },
    }).context);
    await sidecar.clampChanged(3);
    const entry = fake.recorder.entries.find(({ kind }) => kind === 'pace.clamped');
    expect(entry?.detail).toMatchObject({ captured: { snapshot: { id: [...fake.snapshots.keys()][0], left: 0 } } });
    expect(JSON.stringify(fake.recorder.entries)).not.toContain('secret');
  });

  test('goes to custodians where there are any, before anybody is told', async () => {
    const forensic = { custodians: [], threshold: 2, epochMs: 1, keep: new Set(['HIGH']) };
    const mesh = { ...sampleMesh(), recorder: { forensic } } as unknown as Mesh;
    fake = new FakeSidecar('payments', {}, mesh);
    await receive(1);
    const snapshot = await takeSnapshot(stopped('EMERGENCY'), 1, fake.context);
    expect(fake.link.kept).toMatchObject([{
      call: snapshot?.id, task: snapshot?.id, tool: 'pace', operation: 'snapshot', payload: { agent: 'payments', phase: 'EMERGENCY' },
    }]);
  });

  test('leaves out what does not fit one frame, and says how much', async () => {
    await receive(40, 'x'.repeat(30_000));
    const snapshot = await takeSnapshot(stopped('EMERGENCY'), 1, fake.context);
    expect(snapshot?.bytes).toBeLessThanOrEqual(snapshotBytesMax + 64);
    expect(snapshot?.left).toBeGreaterThan(15);
  });

  test('keeps no agent from being stopped where the disk fails', async () => {
    Object.assign(fake.context, { snapshots: { save: () => Promise.reject(new Error('the disk')) } });
    expect(await takeSnapshot(stopped('EMERGENCY'), 1, fake.context)).toBeNull();
    expect(fake.faults).toHaveLength(1);
  });
});
