// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { emptyBook, type PaceBook, type PaceEvent, type PaceStep } from './book.ts';
import { changePace } from './change.ts';
import { rulesFor } from './rules-fixture.ts';
import { unitKey } from './unit.ts';

const facts = { isRevoked: () => false };
const automatic = rulesFor();
const decide = rulesFor({
  workflows: new Map([...automatic.settings.workflows].map(([name, one]) => [name, { ...one, cascade: 'decide' as const }])),
});

function step(book: PaceBook, event: PaceEvent, rules = automatic) {
  const change = changePace(book, event, rules, facts);
  if (!change.ok) throw new Error(change.code);
  const told = change.steps.flatMap((one: PaceStep) => {
    if (one.kind === 'spread') return [`${unitKey(one.unit)} ${one.from}>${one.to} ${one.because.map(unitKey).join(' ')}`.trim()];
    return one.kind === 'proposed' ? [`${unitKey(one.unit)} ? ${one.to} ${one.code}`] : [];
  });
  return { book: change.book, told };
}

const raise = (to: 'ALTERNATE' | 'CONTINGENCY'): PaceEvent => ({
  kind: 'order', id: 'o1', at: 1, operator: 'alice', order: { op: 'raise', unit: { kind: 'workflow', value: 'w' }, to },
});
const evidence = { rootCause: 'x', remediation: 'y', baselines: 'z' };
const recover = (kind: 'agent' | 'workflow', value: string, incident: string): PaceEvent => ({
  kind: 'order', id: 'o2', at: 2, operator: 'alice', order: { op: 'recover', unit: { kind, value }, incident, evidence },
});

describe('a transition', () => {
  test('of a member takes its workflow along, and back again', () => {
    const isolated = step(emptyBook, { kind: 'sign', id: 's1', agent: 'a', at: 1 });
    expect(isolated.told).toEqual(['workflow:w PRIMARY>ALTERNATE agent:a']);
    expect(step(isolated.book, recover('agent', 'a', 's1')).told).toEqual(['workflow:w ALTERNATE>PRIMARY']);
  });

  test('of a workflow takes along those that need it, once it gives nothing, and lets them go', () => {
    expect(step(emptyBook, raise('ALTERNATE')).told).toEqual([]);
    const down = step(emptyBook, raise('CONTINGENCY'));
    expect(down.told).toEqual(['workflow:v PRIMARY>ALTERNATE workflow:w']);
    expect(step(down.book, recover('workflow', 'w', 'o1')).told).toEqual(['workflow:v ALTERNATE>PRIMARY']);
  });

  test('is told, once, where people decide whether it spreads', () => {
    const down = step(emptyBook, raise('CONTINGENCY'), decide);
    expect(down.told).toEqual(['workflow:v ? ALTERNATE PACE_DEPENDENCY_DOWN']);
    expect(step(down.book, { kind: 'tick', at: 3 }, decide).told).toEqual([]);
  });
});
