// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { operatorKey } from '../../test/mesh-harness/attack-mesh.ts';
import { Scorer } from '../anomaly/scorer.ts';
import { signPaceOrder } from '../pace/statement.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import { selfTest } from './self-test.ts';
import { Watch } from './watch.ts';

const carol = operatorKey();
const mallory = operatorKey();
let watch: Watch;
let sequence = 0;

beforeEach(() => {
  watch = new Watch({
    scorer: new Scorer(() => 'role'),
    operatorKey: (name) => (name === 'carol' ? carol.publicJwk : null),
    unitsOf: (agent) => [`agent:${agent}`, 'zone:core'],
    heedMs: 30_000,
    contextSize: () => 1_000,
  });
});

function take(kind: RecordedEntry['kind'], at: number, detail: RecordedEntry['detail'], actor = 'node', code: string | null = null): void {
  sequence += 1;
  watch.take({
    kind, id: `entry-${sequence}`, at, actor, task: null, message: null, causedBy: [], outcome: null, code,
    verdicts: [], tookUs: null, detail, sequence, recordedAt: at,
  });
}

const phase = (at: number, fromPhase: string, toPhase: string, more: RecordedEntry['detail'] = {}, code: string | null = null): void =>
  take('pace.changed', at, { unit: 'agent:a', fromPhase, toPhase, by: 'pace', incident: 'one', ...more }, 'node', code);

const codes = (): readonly string[] => watch.takeFindings().map(({ code }) => code);

const recovery = (key = carol, incident = 'one'): string => signPaceOrder({
  id: '01K74F0Z00ABCDEFGHJKMNPQRS',
  order: {
    op: 'recover', unit: { kind: 'agent', value: 'a' }, incident,
    evidence: { rootCause: 'x', remediation: 'y', baselines: 'z' },
  },
  operator: 'carol', at: 1, reason: '',
}, key);

describe('the observer', () => {
  test('finds everything that it makes up itself', () => {
    expect(selfTest()).toEqual({ made: 5, missed: [] });
  });

  test('finds a stopped agent that begins a call, and not one that began in time', () => {
    phase(1_000, 'PRIMARY', 'EMERGENCY');
    take('tool.intent', 30_000, {}, 'sidecar:a');
    expect(codes()).toEqual([]);
    take('tool.intent', 120_000, {}, 'sidecar:a');
    take('tool.intent', 120_000, {}, 'sidecar:b');
    expect(codes()).toEqual(['OBSERVER_STOPPED_AGENT_ACTS']);
  });

  test('finds a sign that nobody heeds in time', () => {
    take('indicator.raised', 1_000, { indicator: 'COMPROMISE' }, 'sidecar:a');
    phase(2_000, 'PRIMARY', 'ALTERNATE');
    take('indicator.raised', 3_000, { indicator: 'COMPROMISE' }, 'sidecar:b');
    watch.advance(32_999);
    expect(codes()).toEqual([]);
    watch.advance(33_000);
    expect(watch.takeFindings()).toMatchObject([{ code: 'OBSERVER_SIGN_UNHEEDED', agent: 'b' }]);
  });

  test.each([
    ['nobody signed', {}, true],
    ['its operator signed', { signed: recovery() }, false],
    ['somebody else signed', { signed: recovery(mallory) }, true],
    ['was signed for another incident', { signed: recovery(carol, 'other') }, true],
  ])('looks at a recovery that %s', (_how, detail, isFound) => {
    phase(1_000, 'PRIMARY', 'EMERGENCY');
    phase(2_000, 'EMERGENCY', 'PRIMARY', detail, 'PACE_RECOVERED');
    expect(codes()).toEqual(isFound ? ['OBSERVER_RECOVERY_UNSIGNED'] : []);
  });

  test('finds a context that nobody heeds, also in the first hours, and goes by when an entry was recorded', () => {
    const call = (at: number, inputTokens: number): void => watch.take({
      kind: 'model.called', id: `call-${at}`, at: 9e15, actor: 'agent:a', task: null, message: null, causedBy: [], outcome: 'GO',
      code: null, verdicts: [], tookUs: null, detail: { inputTokens, micros: 1 }, sequence: 1, recordedAt: at,
    });
    call(1_000, 840);
    watch.advance(60_000);
    expect(codes()).toEqual([]);
    call(61_000, 860);
    watch.advance(100_000);
    expect(codes()).toEqual(['OBSERVER_SCORE_UNHEEDED']);
  });

  test('takes no word of a sidecar for a phase', () => {
    for (const actor of ['sidecar:b', 'agent:b']) {
      take('pace.changed', 1_000, { unit: 'mesh:mesh', fromPhase: 'EMERGENCY', toPhase: 'PRIMARY', by: 'pace' }, actor);
      take('pace.changed', 1_000, { unit: 'agent:a', fromPhase: 'PRIMARY', toPhase: 'EMERGENCY', by: 'pace' }, actor);
    }
    take('tool.intent', 120_000, {}, 'sidecar:a');
    take('indicator.raised', 120_000, { indicator: 'COMPROMISE' }, 'sidecar:a');
    watch.advance(200_000);
    expect(codes()).toEqual(['OBSERVER_SIGN_UNHEEDED']);
  });

  test('lets PACE heal out of Alternate, and out of nothing else', () => {
    phase(1_000, 'PRIMARY', 'ALTERNATE');
    phase(2_000, 'ALTERNATE', 'PRIMARY', {}, 'PACE_HEALED');
    expect(codes()).toEqual([]);
    phase(3_000, 'PRIMARY', 'EMERGENCY');
    phase(4_000, 'EMERGENCY', 'PRIMARY', {}, 'PACE_HEALED');
    expect(codes()).toEqual(['OBSERVER_RECOVERY_UNSIGNED']);
  });
});
