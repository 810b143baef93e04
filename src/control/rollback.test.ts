// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeRecorder } from '../../test/sidecar-fixture/sidecar.ts';
import { Turns } from '../oversight/turns.ts';
import type { SidecarFrame } from '../wire/frame.ts';
import type { DoneWrite } from './done-writes.ts';
import {
  beginRollback, undoFrames, undoHeard, undosMax, type Rollback, type RollbackContext, type RollbackStore, type Undo,
} from './rollback.ts';

/** Enough of a store for the logic; the suite of stores holds the real one to its contract. */
class MemoryStore implements RollbackStore {
  readonly begun = new Map<string, Rollback>();
  readonly undos = new Map<string, Undo>();
  isBegun(incident: string): boolean {
    return this.begun.has(incident);
  }
  async begin(rollback: Rollback, undos: readonly Undo[]): Promise<void> {
    this.begun.set(rollback.incident, rollback);
    for (const undo of undos) await this.save(undo);
  }
  async save(undo: Undo): Promise<void> {
    this.undos.set(`${undo.incident} ${undo.request}`, undo);
  }
  list(): readonly Undo[] {
    return [...this.undos.values()];
  }
  find(incident: string, call: string): Undo | null {
    return this.undos.get(`${incident} ${call}`) ?? null;
  }
  waiting(executor: string, limit: number) {
    return this.list().flatMap((undo) => {
      const signed = this.begun.get(undo.incident)?.signed ?? null;
      return undo.executor === executor && undo.state === 'waiting' && signed !== null ? [{ undo, signed }] : [];
    }).slice(0, limit);
  }
}

const write = (request: string, change: Partial<DoneWrite> = {}): DoneWrite => ({
  at: 1, action: 'stage', requester: 'planner', executor: 'payments', request, reversibility: 'reversible', undo: 'drop', ...change,
});
const answer = (call: string, status: 'DONE' | 'REFUSED' | 'IN-DOUBT' | 'FAILED', code: string | null = null) =>
  ({ kind: 'call-undone', call, incident: 'kill-1', status, code }) satisfies SidecarFrame;

let store: MemoryStore;
let recorder: FakeRecorder;
let context: RollbackContext;
const begin = (writes: readonly DoneWrite[], signed: string | null = 'order') =>
  beginRollback('kill-1', signed, writes, context);
const stateOf = (call: string): string | undefined => store.find('kill-1', call)?.state;

beforeEach(() => {
  store = new MemoryStore();
  recorder = new FakeRecorder();
  context = { store, recorder, clock: { nowMs: () => 1_000 }, turns: new Turns() };
});

describe('what an emergency undoes', () => {
  test('is begun for what has an action that undoes it, left to people, or only listed', async () => {
    const writes = [
      write('a'), write('b', { undo: null }), write('c', { reversibility: 'irreversible', undo: null }),
      write('d', { executor: 'vault', reversibility: 'compensable' }),
    ];
    expect(await begin(writes)).toEqual({ started: 2, leftToPeople: 1, irreversible: 1 });
    expect(undoFrames('payments', context)).toEqual([{ kind: 'undo-call', call: 'a', incident: 'kill-1', signed: 'order' }]);
    expect(undoFrames('vault', context)).toMatchObject([{ call: 'd' }]);
    expect(undoFrames('nobody', context)).toEqual([]);
  });

  test('is left to people where no operator signed the stop', async () => {
    expect(await begin([write('a')], null)).toMatchObject({ started: 0, leftToPeople: 1 });
    expect(undoFrames('payments', context)).toEqual([]);
  });

  test('is begun once, whatever crashed in between, and bounded', async () => {
    await begin([write('a')]);
    await undoHeard('payments', answer('a', 'DONE'), context);
    await begin([write('a'), write('b')]);
    expect([stateOf('a'), stateOf('b')]).toEqual(['undone', undefined]);
    const many = Array.from({ length: undosMax + 5 }, (_none, index) => write(`${index}`));
    expect(await beginRollback('kill-2', 'order', many, context)).toMatchObject({ started: undosMax, leftToPeople: 5 });
  });

  test('is believed of the executor that was asked, about what waits, once', async () => {
    await begin([write('a')]);
    expect(await undoHeard('vault', answer('a', 'DONE'), context)).toBeNull();
    expect(await undoHeard('payments', answer('z', 'DONE'), context)).toBeNull();
    expect(await undoHeard('payments', { ...answer('a', 'DONE'), incident: 'other' }, context)).toBeNull();
    expect(stateOf('a')).toBe('waiting');
    expect(await undoHeard('payments', answer('a', 'DONE'), context)).toMatchObject({ state: 'undone' });
    expect(await undoHeard('payments', answer('a', 'FAILED'), context)).toBeNull();
    expect(stateOf('a')).toBe('undone');
    expect(recorder.entries).toMatchObject([{
      kind: 'pace.undone', outcome: 'GO', code: null, detail: { incident: 'kill-1', call: 'a', undo: 'drop', state: 'undone' },
    }]);
  });

  test.each([
    ['REFUSED', 'SIDECAR_UNDO_WAITS', 'waiting'], ['REFUSED', 'PACE_LEASE_EXPIRED', 'waiting'],
    ['REFUSED', 'SIDECAR_UNDO_FORGED', 'refused'], ['REFUSED', null, 'refused'],
    ['IN-DOUBT', 'TOOL_TIMEOUT', 'in-doubt'], ['FAILED', 'TOOL_ANSWERED_ERROR', 'failed'],
  ] as const)('%s %s is %s', async (status, code, state) => {
    await begin([write('a')]);
    await undoHeard('payments', answer('a', status, code), context);
    expect(store.find('kill-1', 'a')).toMatchObject({ state, code });
    expect(undoFrames('payments', context)).toHaveLength(state === 'waiting' ? 1 : 0);
    expect(recorder.entries).toHaveLength(state === 'waiting' ? 0 : 1);
  });
});
