// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeSidecar, partyOf, random } from '../../test/sidecar-fixture/sidecar.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { authorityIn, principalsOf } from './authority.ts';
import { AgentMemory, readingOf } from './memory.ts';

const desk = partyOf('desk');
let sidecar: FakeSidecar;
let task: string;

beforeEach(() => {
  sidecar = new FakeSidecar('triage');
  task = mintUlid(sidecar.clock, random);
});

const self = () => ({ name: 'triage', spiffeId: sidecar.context.credential().spiffeId });
const instruction = (change: Partial<EnvelopeBody> = {}): EnvelopeBody =>
  sidecar.bodyFrom(desk, { type: 'instruction', task, ...change });

async function handed(memory: AgentMemory, body: EnvelopeBody): Promise<void> {
  const authority = authorityIn(body, self(), sidecar.context.mesh);
  await memory.absorb([{ ...readingOf(body), authority }], [body.id]);
}

describe('who led to what an agent asks for', () => {
  it('is whoever instructed it, and whoever led to that', async () => {
    const memory = new AgentMemory('one', sidecar.store);
    await handed(memory, instruction({ principals: [{ agent: 'auditor', mandate: null }] }));
    expect(memory.context.principals).toEqual(['auditor', 'desk']);
  });

  it('is nobody by data or claims, unless the mesh file says so', () => {
    const { mesh } = sidecar.context;
    for (const type of ['data', 'claim'] as const) {
      const body = instruction({ type, principals: [{ agent: 'auditor', mandate: null }] });
      expect(authorityIn(body, self(), mesh).principals).toEqual([]);
      const strict = { ...mesh, principals: 'messages' } as const;
      expect(authorityIn(body, self(), strict).principals).toEqual(['auditor', 'desk']);
      const outcome = { ...body, schema: 'action-outcome/1' };
      expect(authorityIn(outcome, self(), strict).principals).toEqual([]);
    }
  });

  it('is remembered over a crash, with the mandates, and forgotten by the next process', async () => {
    const memory = new AgentMemory('one', sidecar.store);
    const mandate = sidecar.mandateFor('triage', task);
    await handed(memory, instruction({ mandate }));
    const again = new AgentMemory('one', sidecar.store);
    expect(again.context.principals).toEqual(['desk']);
    expect(again.mandates(task)).toEqual([{ task, principal: 'desk', isOwn: true, chain: mandate }]);
    const next = new AgentMemory('two', sidecar.store);
    expect([next.context.principals, next.mandates(task)]).toEqual([[], []]);
  });

  it('is a star that nobody vouches for, once it is too many to list', async () => {
    const memory = new AgentMemory('one', sidecar.store);
    const principals = Array.from({ length: 32 }, (_, index) => ({ agent: `p${index}`, mandate: null }))
      .toSorted((a, b) => (a.agent < b.agent ? -1 : 1));
    await handed(memory, instruction({ principals }));
    await handed(memory, instruction());
    expect(memory.context.principals).toEqual(['*']);
  });

  it('shows a mandate for whoever is not in the chain, as far as there is room', () => {
    const own = sidecar.mandateFor('triage', task);
    const shown = sidecar.mandateFor('desk', task);
    const held = ['auditor', 'desk'].map((principal) => ({ task, principal, isOwn: false, chain: shown }));
    expect(principalsOf(['auditor', 'triage', 'x'], held, own)).toEqual([
      { agent: 'auditor', mandate: shown },
      { agent: 'triage', mandate: null },
      { agent: 'x', mandate: null },
    ]);
    const long = held.map((one) => ({ ...one, chain: shown.padEnd(30_000, 'A') }));
    const [first, second] = principalsOf(['auditor', 'desk'], long, own);
    expect([first?.mandate?.length, second?.mandate]).toEqual([30_000, null]);
  });
});
