// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { FakeSidecar, random } from '../../test/sidecar-fixture/sidecar.ts';
import { credentialOf } from '../mandate/mandate-fixture.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { Outgoing } from '../message/envelope.ts';
import { passOn } from './pass-on.ts';

describe('an agent that sends every message with terms of its own', () => {
  it('gives one delegate no more live mandates for a task than it may hold', async () => {
    // Its chains carry the certificate, so it needs a real one; nobody checks here whose it is.
    const credential = { ...credentialOf('desk'), expiresAtMs: 2e12 };
    const { context, clock } = new FakeSidecar('desk', { credential: () => credential });
    const task = mintUlid(clock, random);
    const outgoing = { type: 'instruction', to: 'triage', schema: 'invoice/1', payload: {} };
    const give = (lifetimeMs: number, inTask = task) => passOn(
      outgoing as Outgoing,
      { task: inTask, isOrigin: true, held: [] },
      { rights: null, lifetimeMs, output: null, maxDepth: null },
      context,
    );
    for (let index = 0; index < 16; index += 1) {
      expect(await give(60_000 + index)).toMatchObject({ ok: true });
    }
    expect(await give(70_000)).toEqual({ ok: false, code: 'SIDECAR_MANDATE_LIMIT' });
    expect(context.store.givenMandates(task)).toHaveLength(16);
    expect(await give(70_000, mintUlid(clock, random))).toMatchObject({ ok: true });
    clock.ms += 60_016;
    expect(await give(70_000)).toMatchObject({ ok: true });
  });
});
