// SPDX-License-Identifier: Apache-2.0
// Control tests of the framework's data protection domain that a sidecar answers for; ids as there.
import { describe, expect, test } from 'vitest';
import { FakeSidecar, partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import { freshContext } from '../label/context.ts';
import { ValueIndex } from '../label/value-index.ts';
import { receive } from './inbound.ts';
import { send } from './outbound.ts';

const task = '01JD3K5V7Q8R9S0T1V2W3X4Y5Z';

describe('DP-T1.2: nothing is shared downwards', () => {
  const levels = ['public', 'internal', 'confidential', 'restricted'] as const;
  const desk = partyOf('desk');

  test.each(levels.flatMap((classification) => levels.map((clearance) => [classification, clearance] as const)))(
    '%s data for an agent cleared for %s data',
    async (classification, clearance) => {
      const sidecar = new FakeSidecar('triage');
      sidecar.knows(desk);
      const { context } = sidecar;
      const label = { classification, integrity: 'internal', origins: [] } as const;
      const envelope = sidecar.envelopeFrom(desk, { label });
      const cleared = { ...context, agent: { ...context.agent, clearance } };
      const { message } = await receive({ envelope, chain: null }, cleared);
      const isDown = levels.indexOf(classification) > levels.indexOf(clearance);
      expect([message?.state, message?.entries[0]?.code])
        .toEqual(isDown ? ['refused', 'BUS_CLEARANCE_EXCEEDED'] : ['pending', null]);
    },
  );
});

describe('DP-T1.3: what agents say is on record', () => {
  test('20 of 20 outputs, refused ones among them, each with a digest of its own and none with its text', async () => {
    const sidecar = new FakeSidecar('desk');
    const speaker = {
      source: 'agent' as const, read: freshContext, values: new ValueIndex(), mandates: [], inputs: [],
      place: { task, hop: 1, goalHash: null, isOrigin: false },
    };
    for (let number = 0; number < 20; number += 1) {
      const outgoing = {
        to: number % 5 === 4 ? 'payments' : 'triage', type: 'data' as const, schema: 'invoice/1', domain: 'billing',
        payload: { text: `invoice number ${number}` }, metadata: {}, inReplyTo: null, epistemic: null, task,
      };
      await send(outgoing, speaker, sidecar.context);
    }
    const published = sidecar.link.published.map(({ entry }) => entry);
    const entries = [...published, ...sidecar.recorder.entries].filter(({ kind }) => kind.startsWith('message.'));
    expect(new Set(entries.map(({ message }) => message)).size).toBe(20);
    expect(published.map(({ detail }) => JSON.stringify(detail['payload']))).toHaveLength(16);
    expect(new Set(published.map(({ detail }) => JSON.stringify(detail['payload']))).size).toBe(16);
    expect(JSON.stringify(entries)).not.toContain('invoice number');
  });
});
