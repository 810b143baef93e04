// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { healsMax } from '../mesh/pace-settings.ts';
import {
  emptyBook, type PaceBook, type PaceChange, type PaceEvent, type PaceOrder, type PaceStep, type UnitState,
} from './book.ts';
import { changePace } from './change.ts';
import { clampOf, isWorse, phaseOf } from './clamp.ts';
import type { PaceFacts } from './facts.ts';
import { authoritiesFor } from './order.ts';
import { authoritiesOf } from './rules.ts';
import { rulesFor } from './rules-fixture.ts';
import { agentUnit, covers, meshUnit, type PaceUnit } from './unit.ts';

/**
 * Every book that any sequence of events leads to, in steps of twelve hours, so that ages are small
 * numbers and the space is finite: what is older than any limit is as old as the limit.
 */
const unitMs = 12 * 3_600_000;
const ageMax = 2;
const workflow: PaceUnit = { kind: 'workflow', value: 'w' };
const scopes = [agentUnit('a'), workflow, meshUnit];
const full = { rootCause: 'a poisoned page', remediation: 'page removed', baselines: '30 d anew' };
const evidences = [full, { ...full, baselines: '' }, { ...full, rootCause: ' ' }];
const operators = ['alice', 'bob', 'carol', 'dave'];
const rules = rulesFor({
  windowMs: unitMs, killWindowMs: unitMs, drainMs: unitMs, probationMs: unitMs, healAfterMs: unitMs,
  alternateMsMax: 2 * unitMs, observerWindowMs: unitMs,
});

type Found = { readonly book: PaceBook; readonly now: number };
type Taken = {
  readonly before: Found;
  readonly event: PaceEvent;
  readonly after: PaceBook;
  readonly steps: readonly PaceStep[];
};

function eventsAt({ book, now }: Found, scope: PaceUnit): readonly PaceEvent[] {
  const at = now;
  const isMesh = scope.kind === 'mesh';
  const isAgent = scope.kind === 'agent';
  const units = isAgent ? [scope] : [agentUnit('a'), scope];
  const orders: PaceOrder[] = [
    ...(scope.kind === 'workflow' ? [] : [{ op: 'kill', unit: scope } as const]),
    ...(isMesh ? [] : [{ op: 'halt', unit: scope } as const]),
    ...(['ALTERNATE', 'CONTINGENCY', 'EMERGENCY', 'PRIMARY'] as const)
      .map((to): PaceOrder => ({ op: 'raise', unit: scope, to })),
    ...[...book.stops.keys(), 'nothing'].flatMap((stop): PaceOrder[] =>
      [{ op: 'confirm', stop }, { op: 'decline', stop }, { op: 'resume', stop }]),
    ...units.flatMap((unit) => {
      const held = [...book.units.values()].find(({ unit: one }) => one.value === unit.value);
      const incidents = held?.incident === null || held === undefined ? [] : [held.incident, 'older'];
      return incidents.flatMap((incident) =>
        evidences.map((evidence): PaceOrder => ({ op: 'recover', unit, incident, evidence })));
    }),
  ];
  return [
    ...(scope.kind === 'workflow' ? ['a', 's'] : ['a']).map((agent): PaceEvent => ({ kind: 'sign', id: `sign-${agent}`, agent, at })),
    ...(isAgent ? [59, 60, 80, Number.NaN] : []).map((score): PaceEvent =>
      ({ kind: 'score', id: 'score', agent: 'a', score, at })),
    ...orders.flatMap((order) => operators.map((operator): PaceEvent =>
      ({ kind: 'order', id: `order-${order.op}`, order, operator, at }))),
    ...(isMesh ? [{ kind: 'asked', id: 'asked', at } as const] : []),
    ...[...book.stops.keys()].map((stop): PaceEvent => ({ kind: 'drained', stop, at })),
    { kind: 'tick', at },
  ];
}

/** What decides everything that can happen next: ages instead of times, no version. */
function keyOf({ book, now }: Found): string {
  const age = (time: number): number => Math.min(Math.round((now - time) / unitMs), ageMax);
  const unitOf = ({ unit, phase, since, incident, code, healed, signs }: UnitState): unknown => {
    const isCalm = phase === 'PRIMARY';
    return [
      unit.value, phase, isCalm ? 0 : age(since), incident, code,
      healed.map(age).filter((one) => one < ageMax), signs.some((time) => age(time) < 1),
    ];
  };
  const stopOf = (stop: PaceBook['stops'] extends ReadonlyMap<string, infer One> ? One : never) =>
    [stop.id, stop.stage, stop.by, stop.endsAt === null ? null : age(stop.endsAt)];
  return JSON.stringify([
    [...book.units.values()].map(unitOf).sort(), [...book.stops.values()].map(stopOf).sort(),
  ]);
}

function explore(
  scope: PaceUnit,
  facts: PaceFacts,
  statesMax: number,
  check: (taken: Taken) => void,
): number {
  const start: Found = { book: emptyBook, now: unitMs * 10 };
  const seen = new Set([keyOf(start)]);
  const open: Found[] = [start];
  for (let found = open.shift(); found !== undefined; found = open.shift()) {
    for (const event of eventsAt(found, scope)) {
      const change: PaceChange = changePace(found.book, event, rules, facts);
      if (!change.ok) continue;
      check({ before: found, event, after: change.book, steps: change.steps });
      // Time passes after a tick only: everything else may also happen at one instant.
      const now = event.kind === 'tick' ? found.now + unitMs : found.now;
      const next = { book: change.book, now };
      const key = keyOf(next);
      if (seen.has(key) || seen.size >= statesMax) continue;
      seen.add(key);
      open.push(next);
    }
  }
  return seen.size;
}

const nobody: PaceFacts = { isRevoked: () => false };
const statesMax = 60_000;

function leadsBack(step: PaceStep): step is Extract<PaceStep, { kind: 'phase' }> {
  return step.kind === 'phase' && isWorse(step.from, step.to);
}

function recovery({ steps, event, before }: Taken): void {
  for (const step of steps.filter(leadsBack)) {
    if (step.from === 'EMERGENCY') expect(step.to).toBe('PRIMARY');
    if (step.from === 'CONTINGENCY') expect(step.to).toBe('ALTERNATE');
    if (step.code === 'PACE_HEALED') {
      expect(event.kind).toBe('tick');
      expect([step.unit.kind, step.from]).toEqual(['agent', 'ALTERNATE']);
      const [state] = [...before.book.units.values()].filter(({ unit }) => unit.value === step.unit.value);
      expect(state?.code).toBe('PACE_SCORE_ISOLATES');
      continue;
    }
    if (event.kind !== 'order' || event.order.op !== 'recover') throw new Error('no recovery');
    const { rootCause, remediation, baselines } = event.order.evidence;
    expect(event.order.incident).toBe(step.incident);
    expect([rootCause.trim(), remediation.trim()]).not.toContain('');
    if (step.from === 'EMERGENCY') expect([event.operator, baselines]).toEqual(['carol', full.baselines]);
  }
}

function authority({ event, steps, before, after }: Taken): void {
  if (event.kind !== 'order' || steps.length === 0) return;
  const { order, operator } = event;
  const held = authoritiesOf(operator, rules);
  const worst = 'unit' in order && order.op === 'recover'
    ? ([...before.book.units.values()].find(({ unit }) => unit.value === order.unit.value)?.phase ?? 'PRIMARY')
    : 'PRIMARY';
  if (!authoritiesFor(order, worst).some((one) => held.has(one))) throw new Error('an authority was skipped');
  // Of the mesh, one person's word suspends; the other word, or the window, makes it final.
  if (order.op === 'kill' && order.unit.kind === 'mesh' && isMeshDead(after) && !isMeshDead(before.book)) {
    const [waiting] = [...before.book.stops.values()].filter(({ kind, unit }) => kind === 'kill' && unit.kind === 'mesh');
    expect(waiting).toBeDefined();
    expect(waiting?.by).not.toBe(`operator:${operator}`);
  }
  if (order.op === 'confirm' && isMeshDead(after) && !isMeshDead(before.book)) {
    expect(before.book.stops.get(order.stop)?.by).not.toBe(`operator:${operator}`);
  }
}

const isMeshDead = (book: PaceBook): boolean => phaseOf(meshUnit, book, rules) === 'EMERGENCY';

function clamps({ before, event, after, steps }: Taken): void {
  for (const place of rules.places.values()) {
    const clamp = clampOf(place.name, after, rules, nobody, before.now);
    const dead = [...after.units.values()].some(({ unit, phase }) => phase === 'EMERGENCY' && covers(unit, place));
    const held = [...after.stops.values()].some(({ unit, stage }) => stage !== 'drain' && stage !== 'asked' && covers(unit, place));
    if ((dead || held) && clamp.allows !== 'nothing') throw new Error(`${place.name} still acts`);
    const raises = event.kind === 'sign' || event.kind === 'score' || event.kind === 'asked' ||
      (event.kind === 'order' && ['kill', 'halt', 'raise', 'confirm'].includes(event.order.op));
    if (!raises || place.standbyFor !== null) continue;
    const was = clampOf(place.name, before.book, rules, nobody, before.now);
    const rank = ['all', 'supervised', 'read-only', 'nothing'];
    if (rank.indexOf(clamp.allows) < rank.indexOf(was.allows)) throw new Error('a stop loosened');
  }
  const versions = after.version - before.book.version;
  if (versions !== (after === before.book ? 0 : 1)) throw new Error('a change without a version');
  if (after === before.book && steps.length > 0) throw new Error('a step without a change');
  for (const { healed } of after.units.values()) {
    const recent = healed.filter((time) => time > before.now - ageMax * unitMs);
    if (recent.length > healsMax) throw new Error('healed too often');
  }
}

/** A sign moves its own agent; here only a standby that failed, too, concerns its workflow. */
function isolation({ event, steps }: Taken): void {
  if (event.kind !== 'sign' && event.kind !== 'score') return;
  const moved = steps.flatMap((step) => (step.kind === 'phase' ? [step.unit.value] : []));
  const allowed = event.agent === 's' ? ['s', 'w'] : ['a'];
  if (moved.some((value) => !allowed.includes(value))) throw new Error(`a sign moved ${moved.join()}`);
}

describe('every transition that can happen', () => {
  test.each(scopes)('leads back only with evidence and authority: $kind', { timeout: 300_000 }, (scope) => {
    let transitions = 0;
    const states = explore(scope, nobody, statesMax, (taken) => {
      transitions += 1;
      recovery(taken);
      authority(taken);
      clamps(taken);
      isolation(taken);
    });
    console.log(`${scope.kind}: explored ${states} states, ${transitions} transitions`);
    expect(states).toBeGreaterThan(300);
    expect(states).toBeLessThan(statesMax);
  });

  test('never makes a revoked agent active', { timeout: 300_000 }, () => {
    const revoked: PaceFacts = { isRevoked: (agent) => agent === 'a' };
    explore(meshUnit, revoked, 5_000, ({ after, steps, before }) => {
      if (clampOf('a', after, rules, revoked, before.now).allows !== 'nothing') throw new Error('a revoked agent acts');
      const back = steps.filter(leadsBack).filter(({ unit, to }) => unit.value === 'a' && to === 'PRIMARY');
      if (back.length > 0) throw new Error('a revoked agent was led back');
    });
  });
});
