// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { agentOf, base, codes, oispec, payments } from '../../test/mesh-files/request.ts';
import type { TimeBoundary } from '../mesh/oispec.ts';
import { mintUlid } from '../message/identifiers.ts';

const startedMs = 1_800_000_000_000;
const boxMs = base.bounds.taskDurationMs;
const skewMs = base.limits.clockSkewMs;

function taskAt(timeMs: number): string {
  return mintUlid({ nowMs: () => timeMs }, { bytes: (count) => new Uint8Array(count) });
}

function bounded(change: Partial<TimeBoundary>): { executor: typeof payments } {
  const timeBoundary = { notBeforeMs: null, notAfterMs: null, durationMs: null, ...change };
  return { executor: { ...payments, oispec: { ...oispec, timeBoundary } } };
}

describe('time boxes', () => {
  const task = taskAt(startedMs);

  it('refuses at the very end of a task, and not a millisecond before', () => {
    expect(codes({ task, nowMs: startedMs + boxMs })).toEqual(['POLICY_TASK_TIME_ENDED']);
    expect(codes({ task, nowMs: startedMs + boxMs - 1 })).toEqual([]);
  });

  it('refuses a task that begins later than any clock may be ahead', () => {
    expect(codes({ task, nowMs: startedMs - skewMs - 1 })).toEqual(['POLICY_TASK_TIME_INVALID']);
    expect(codes({ task, nowMs: startedMs - skewMs })).toEqual([]);
  });

  it('refuses a task whose id tells no time', () => {
    expect(codes({ task: 'a-task', nowMs: startedMs })).toEqual(['POLICY_TASK_TIME_INVALID']);
  });

  it('refuses an executor whose boundary has ended, from its very end on', () => {
    const change = bounded({ notAfterMs: startedMs + 10 });
    expect(codes({ task, nowMs: startedMs + 10, ...change })).toEqual(['POLICY_AGENT_TIME_ENDED']);
    expect(codes({ task, nowMs: startedMs + 9, ...change })).toEqual([]);
  });

  it('refuses an executor whose boundary has not begun', () => {
    const change = bounded({ notBeforeMs: startedMs + skewMs + 1 });
    expect(codes({ task, nowMs: startedMs, ...change })).toEqual(['POLICY_AGENT_TIME_ENDED']);
    expect(codes({ task, nowMs: startedMs + 1, ...change })).toEqual([]);
  });

  it('ends a task earlier for an agent that is given less time', () => {
    const change = bounded({ durationMs: 60_000 });
    expect(codes({ task, nowMs: startedMs + 60_000, ...change })).toEqual(['POLICY_AGENT_TIME_ENDED']);
    expect(codes({ task, nowMs: startedMs + 59_999, ...change })).toEqual([]);
  });

  it('holds the requester to its own boundary too', () => {
    const triage = agentOf(base, 'triage');
    const timeBoundary = { notBeforeMs: null, notAfterMs: startedMs, durationMs: null };
    const own = triage.oispec ?? { ...oispec, agent: 'triage' };
    const agents = new Map(base.agents);
    agents.set('triage', { ...triage, oispec: { ...own, timeBoundary } });
    expect(codes({ task, nowMs: startedMs, mesh: { ...base, agents } }))
      .toEqual(['POLICY_AGENT_TIME_ENDED']);
  });
});
