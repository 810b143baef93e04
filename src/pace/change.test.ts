// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { emptyBook, type PaceBook, type PaceEvent, type PaceStep } from './book.ts';
import { changePace, independentRoots } from './change.ts';
import { clampOf, phaseOf } from './clamp.ts';
import type { PaceFacts } from './facts.ts';
import { rulesFor } from './rules-fixture.ts';
import { agentUnit, meshUnit, parseUnit, type PaceUnit } from './unit.ts';

const facts: PaceFacts = { isRevoked: () => false };
const minute = 60_000;
const w: PaceUnit = { kind: 'workflow', value: 'w' };
const v: PaceUnit = { kind: 'workflow', value: 'v' };

class Machine {
  book: PaceBook = emptyBook;
  now = 1_000_000;
  steps: readonly PaceStep[] = [];
  readonly rules;

  constructor(rules = rulesFor()) {
    this.rules = rules;
  }

  /** Gives the refusal, or null. */
  take(event: PaceEvent): string | null {
    const change = changePace(this.book, event, this.rules, facts);
    if (!change.ok) return change.code;
    this.book = change.book;
    this.steps = change.steps;
    return null;
  }

  sign(agent: string): void {
    this.take({ kind: 'sign', id: `sign ${agent}`, agent, at: this.now });
  }

  score(agent: string, score: number, byContext = false): void {
    this.take({ kind: 'score', id: `score ${agent}`, agent, score, at: this.now, byContext });
  }

  pass(ms: number): void {
    this.now += ms;
    this.take({ kind: 'tick', at: this.now });
  }

  allows(agent: string): string {
    return clampOf(agent, this.book, this.rules, facts, this.now).allows;
  }

  phase(unit: PaceUnit): string {
    return phaseOf(unit, this.book, this.rules);
  }
}

describe('a sign of compromise', () => {
  test('isolates its agent, activates the standby, and leaves the others supervised', () => {
    const machine = new Machine();
    expect(['a', 'b', 's', 'c'].map((agent) => machine.allows(agent))).toEqual(['all', 'all', 'nothing', 'all']);
    machine.sign('a');
    expect(['a', 'b', 's', 'c'].map((agent) => machine.allows(agent)))
      .toEqual(['nothing', 'supervised', 'read-only', 'all']);
    machine.pass(15 * minute);
    expect(machine.allows('s')).toBe('supervised');
  });

  test('of an agent that nobody knows moves nothing', () => {
    const machine = new Machine();
    machine.sign('stranger');
    expect(machine.book).toBe(emptyBook);
  });

  test('counts within its window only', () => {
    const machine = new Machine(rulesFor({ isolateAfter: 2, windowMs: minute }));
    machine.sign('a');
    machine.now += minute;
    machine.sign('a');
    expect(machine.phase(agentUnit('a'))).toBe('PRIMARY');
    machine.now += 1;
    machine.sign('a');
    expect(machine.phase(agentUnit('a'))).toBe('ALTERNATE');
  });

  test('never heals by itself', () => {
    const machine = new Machine();
    machine.sign('a');
    machine.pass(12 * 60 * minute);
    expect(machine.phase(agentUnit('a'))).toBe('ALTERNATE');
    machine.pass(36 * 60 * minute);
    expect(machine.phase(agentUnit('a'))).toBe('CONTINGENCY');
  });
});

describe('a score', () => {
  test.each([[39, 'PRIMARY'], [59.9, 'PRIMARY'], [60, 'ALTERNATE'], [79, 'ALTERNATE'], [80, 'CONTINGENCY'], [Number.NaN, 'ALTERNATE']])(
    'of %d leads to %s', (score, phase) => {
      const machine = new Machine();
      machine.score('c', score);
      expect(machine.phase(agentUnit('c'))).toBe(phase);
    });

  test('heals three times a day, and not a fourth time', () => {
    const machine = new Machine();
    for (let cycle = 0; cycle < 3; cycle += 1) {
      machine.score('c', 70);
      machine.pass(29 * minute);
      expect(machine.phase(agentUnit('c'))).toBe('ALTERNATE');
      machine.pass(minute);
      expect(machine.phase(agentUnit('c'))).toBe('PRIMARY');
    }
    machine.score('c', 70);
    expect(machine.phase(agentUnit('c'))).toBe('CONTINGENCY');
    expect(machine.steps[0]).toMatchObject({ code: 'PACE_CYCLES_SPENT' });
  });

  test('that stays high keeps the agent isolated, as does a standby that fails', () => {
    const machine = new Machine();
    machine.score('a', 70);
    machine.now += 20 * minute;
    machine.score('a', 45);
    machine.pass(10 * minute);
    expect(machine.phase(agentUnit('a'))).toBe('ALTERNATE');
    machine.sign('s');
    machine.pass(60 * minute);
    expect(machine.phase(agentUnit('a'))).toBe('ALTERNATE');
    expect(machine.phase(w)).toBe('CONTINGENCY');
  });

  test('an agent that it isolated does not come back by itself once it shows a sign of compromise', () => {
    const machine = new Machine();
    machine.score('a', 65, true);
    machine.pass(minute);
    machine.sign('a');
    expect(machine.steps).toMatchObject([{ kind: 'phase', from: 'ALTERNATE', to: 'ALTERNATE', code: 'PACE_COMPROMISE', incident: 'sign a' }]);
    expect(machine.book.units.get('agent:a')).toMatchObject({ code: 'PACE_COMPROMISE', incident: 'sign a', isFilled: false });
    machine.sign('a');
    expect(machine.steps.filter(({ kind }) => kind === 'phase')).toEqual([]);
    for (let round = 0; round < 12; round += 1) machine.pass(10 * minute);
    expect(machine.phase(agentUnit('a'))).not.toBe('PRIMARY');
  });

  test.each(['ALTERNATE', 'CONTINGENCY'] as const)('an agent that people put in %s is led back only by who names the sign that it showed since', (to) => {
    const machine = new Machine();
    const order = (op: object): string | null =>
      machine.take({ kind: 'order', id: 'drill', operator: 'alice', at: machine.now, order: op } as PaceEvent);
    const evidence = { rootCause: 'a drill', remediation: 'none', baselines: '' };
    expect(order({ op: 'raise', unit: agentUnit('a'), to })).toBeNull();
    machine.sign('a');
    expect(order({ op: 'recover', unit: agentUnit('a'), incident: 'drill', evidence })).toBe('PACE_INCIDENT_STALE');
    expect(machine.book.units.get('agent:a')).toMatchObject({ code: 'PACE_COMPROMISE', incident: 'sign a' });
    expect(order({ op: 'recover', unit: agentUnit('a'), incident: 'sign a', evidence })).toBeNull();
  });

  test('heals nobody below tier 3', () => {
    const machine = new Machine(rulesFor({}, 2));
    machine.score('c', 70);
    machine.pass(120 * minute);
    expect(machine.phase(agentUnit('c'))).toBe('ALTERNATE');
  });
});

describe('a wider scope', () => {
  const linked = (from: string, to: string): ReadonlyMap<string, ReadonlySet<string>> =>
    new Map([[from, new Set([to])]]);

  test('needs three agents that cannot have turned each other', () => {
    const machine = new Machine({ ...rulesFor(), reach: linked('a', 'b') });
    for (const agent of ['a', 'b', 'c']) machine.sign(agent);
    expect(machine.phase(meshUnit)).toBe('PRIMARY');
    const free = new Machine();
    for (const agent of ['a', 'b', 'c']) free.sign(agent);
    expect(free.phase(meshUnit)).toBe('CONTINGENCY');
    expect(independentRoots(['a', 'b', 'c'], { ...rulesFor(), reach: linked('b', 'c') })).toBe(2);
  });

  test.each([65, 85])('does not move for contexts that fill up (score %d), which one sender brings about', (score) => {
    const machine = new Machine();
    for (const agent of ['a', 'b', 'c', 's']) machine.score(agent, score, true);
    const isolated = score < 80 ? 'ALTERNATE' : 'CONTINGENCY';
    expect(['a', 'b', 'c', 's'].map((agent) => machine.phase(agentUnit(agent)))).toEqual([isolated, isolated, isolated, isolated]);
    // Nor do they count beside agents that failed otherwise, or for how long or how often it went on.
    machine.pass(49 * 60 * minute);
    expect(machine.book.units.get('mesh:mesh')).toBeUndefined();
    expect(machine.book.units.get('workflow:w')).toBeUndefined();
  });

  test('counts agents that failed, not those whose context filled up, until these fail as well', () => {
    const machine = new Machine();
    machine.score('a', 85, true);
    machine.score('b', 65, true);
    machine.sign('c');
    expect(machine.phase(meshUnit)).toBe('PRIMARY');
    machine.score('a', 70);
    expect(machine.phase(meshUnit)).toBe('PRIMARY');
    machine.score('b', 65, true);
    expect(machine.phase(meshUnit)).toBe('PRIMARY');
    machine.sign('b');
    expect(machine.phase(meshUnit)).toBe('CONTINGENCY');
  });

  test('does not move for contexts that fill up time and again', () => {
    const machine = new Machine();
    for (let cycle = 0; cycle < 4; cycle += 1) {
      for (const agent of ['a', 'b', 'c']) machine.score(agent, 65, true);
      machine.pass(31 * minute);
    }
    expect(machine.phase(agentUnit('c'))).toBe('CONTINGENCY');
    machine.sign('s');
    expect(machine.phase(meshUnit)).toBe('PRIMARY');
  });

  test('is proposed to people below tier 3', () => {
    const machine = new Machine(rulesFor({}, 2));
    for (const agent of ['a', 'b', 'c']) machine.sign(agent);
    expect(machine.phase(meshUnit)).toBe('PRIMARY');
    expect(machine.steps).toContainEqual(expect.objectContaining({ kind: 'proposed', to: 'CONTINGENCY' }));
  });

  test('pulls along what needs it, which comes back after it', () => {
    const machine = new Machine();
    const raise = { op: 'raise', unit: w, to: 'CONTINGENCY' } as const;
    expect(machine.take({ kind: 'order', id: 'one', order: raise, operator: 'alice', at: machine.now })).toBeNull();
    expect(machine.phase(v)).toBe('ALTERNATE');
    expect([machine.allows('a'), machine.allows('b'), machine.allows('c')]).toEqual(['nothing', 'supervised', 'supervised']);
    const own = { op: 'raise', unit: v, to: 'CONTINGENCY' } as const;
    expect(machine.take({ kind: 'order', id: 'two', order: own, operator: 'alice', at: machine.now })).toBeNull();
    const evidence = { rootCause: 'x', remediation: 'y', baselines: '' };
    const back = { op: 'recover', unit: v, incident: 'two', evidence } as const;
    expect(machine.take({ kind: 'order', id: 'three', order: back, operator: 'alice', at: machine.now }))
      .toBe('PACE_DEPENDENCY_DOWN');
  });
});

describe('a unit', () => {
  test.each(['agent:', 'agent:A b', 'type:../x', 'mesh:other', 'agent:a:b', 'planet:earth', ''])('%j is none', (text) => {
    expect(parseUnit(text)).toBeNull();
  });

  test.each(['mesh', 'agent:a', 'type:RETRIEVER', 'zone:core', 'workflow:w'])('%s is one', (text) => {
    expect(parseUnit(text)).not.toBeNull();
  });
});
