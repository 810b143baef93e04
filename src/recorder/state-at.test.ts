// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { draft, go, startMs } from '../../test/faults/recorder-fixture.ts';
import type { EntryDraft, RecordedEntry } from './entry.ts';
import { matches } from './entry-query.ts';
import { stateAt } from './state-at.ts';

const log: readonly RecordedEntry[] = ([
  { kind: 'mesh.started', actor: 'node', detail: { mode: 'enforce', autonomyTier: 2, deselected: [] } },
  { kind: 'policy.effective', actor: 'node', detail: { policy: 1, digest: 'one' } },
  { verdicts: [{ ...go, version: '1' }] },
  { kind: 'identity.revoked', detail: { target: { kind: 'agent', value: 'mallory' } } },
  { kind: 'record.held', detail: { order: 'A', subject: 'agent:payments' } },
  { kind: 'policy.effective', actor: 'sidecar:payments', detail: { policy: 2, digest: 'two' } },
  { kind: 'policy.effective', actor: 'node', detail: { policy: 2, digest: 'two' } },
  { verdicts: [{ ...go, version: '2', outcome: 'NO-GO' }, { ...go, control: 'bus' }] },
  { kind: 'identity.reinstated', detail: { target: { kind: 'agent', value: 'mallory' } } },
  { kind: 'record.released', detail: { order: 'B', subject: 'A' } },
  { kind: 'indicator.raised', code: 'RECORDER_WITNESS_LATE' },
  { kind: 'mesh.stopped', actor: 'node' },
  { kind: 'identity.revoked', detail: { target: { kind: 'agent', value: 'mallory' } } },
  { kind: 'pace.changed', code: 'PACE_SCORE', detail: { unit: 'agent:triage', toPhase: 'ALTERNATE', by: 'node' } },
  { kind: 'pace.stop', detail: { stop: 'S', stopKind: 'halt', unit: 'mesh:mesh', stage: 'drain', change: 'begun' } },
  { kind: 'pace.changed', code: null, detail: { unit: 'agent:triage', toPhase: 'PRIMARY', by: 'operator:alice' } },
  { kind: 'pace.stop', detail: { stop: 'S', stopKind: 'halt', unit: 'mesh:mesh', stage: 'frozen', change: 'frozen' } },
  { kind: 'pace.stop', detail: { stop: 'S', stopKind: 'halt', unit: 'mesh:mesh', stage: 'frozen', change: 'lifted' } },
  { kind: 'breaker.changed', detail: { breaker: 'agent/payments', to: 'open' } },
  { kind: 'breaker.changed', detail: { breaker: 'agent/triage', to: 'open' } },
  { kind: 'breaker.changed', detail: { breaker: 'agent/payments', to: 'closed' } },
] as const satisfies readonly Partial<EntryDraft>[]).map((changes, sequence) => ({
  ...draft(sequence, { verdicts: [], ...changes }), sequence, recordedAt: startMs + sequence * 1000,
}));

const at = (sequence: number) => stateAt(startMs + sequence * 1000, async (query, limit) =>
  log.filter((entry) => matches(entry, query)).toReversed().slice(0, limit));

describe('the state at a moment', () => {
  it('is nothing before the record begins', async () => {
    expect(await at(-1)).toMatchObject({ mesh: null, policy: null, controls: [], revoked: [], holds: [] });
  });

  it('is what was in force then, and not what came after', async () => {
    expect(await at(5)).toMatchObject({
      mesh: { running: true, mode: 'enforce', autonomyTier: 2 },
      policy: { version: 1, digest: 'one' },
      controls: [{ control: 'scanner', version: '1', outcome: 'GO' }],
      revoked: [{ subject: 'agent:mallory', sequence: 3 }],
      holds: [{ subject: 'agent:payments', sequence: 4 }],
      alarms: [],
    });
  });

  it('names what PACE had done, until it is led back', async () => {
    expect(await at(12)).toMatchObject({ phases: [], stops: [] });
    expect(await at(14)).toMatchObject({
      phases: [{ unit: 'agent:triage', phase: 'ALTERNATE', code: 'PACE_SCORE', by: 'node', sequence: 13 }],
      stops: [{ stop: 'S', kind: 'halt', unit: 'mesh:mesh', stage: 'drain', sequence: 14 }],
    });
    expect(await at(16)).toMatchObject({ phases: [], stops: [{ stage: 'frozen', sequence: 16 }] });
    expect(await at(17)).toMatchObject({ phases: [], stops: [] });
  });

  it('names the breakers that were open', async () => {
    expect(await at(17)).toMatchObject({ breakers: [] });
    expect((await at(19)).breakers).toHaveLength(2);
    expect(await at(20)).toMatchObject({ breakers: [{ breaker: 'agent/triage', sequence: 19 }] });
  });

  it('follows each change, its end, and its return', async () => {
    expect(await at(10)).toMatchObject({
      policy: { version: 2, digest: 'two', sequence: 6 },
      controls: [{ control: 'bus' }, { control: 'scanner', version: '2', outcome: 'NO-GO' }],
      revoked: [], holds: [],
      alarms: [{ code: 'RECORDER_WITNESS_LATE', sequence: 10 }],
      mesh: { running: true },
    });
    expect(await at(12)).toMatchObject({
      mesh: { running: false }, revoked: [{ subject: 'agent:mallory', sequence: 12 }],
    });
  });
});
