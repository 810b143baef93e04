// SPDX-License-Identifier: Apache-2.0
import type { PaceAuthority } from '../mesh/pace-settings.ts';
import type { PaceEvent, PaceOrder, RecoveryEvidence, Stop } from './book.ts';
import { isWorse, ownPhase, phaseOf } from './clamp.ts';
import type { PaceCode } from './codes.ts';
import type { PaceFacts } from './facts.ts';
import { authoritiesOf, isKnownUnit, type PaceRules } from './rules.ts';
import type { PaceUnit } from './unit.ts';
import { finishKill, type Work } from './work.ts';

type OrderEvent = Extract<PaceEvent, { kind: 'order' }>;

/** Who may give an order: any one of these authorities is enough. */
export function authoritiesFor(order: Pick<PaceOrder, 'op'>, phase: string): readonly PaceAuthority[] {
  switch (order.op) {
    case 'kill':
    case 'decline':
      return ['incident_commander'];
    case 'confirm':
    case 'halt':
    case 'resume':
    case 'raise':
      return ['security', 'incident_commander'];
    case 'recover':
      return phase === 'EMERGENCY' ? ['risk_owner'] : ['security', 'risk_owner'];
    default:
      return order.op satisfies never;
  }
}

/** Carries out what a person ordered; gives the refusal, or null. A refusal has changed nothing. */
export function changeByOrder(
  event: OrderEvent,
  rules: PaceRules,
  facts: PaceFacts,
  work: Work,
): PaceCode | null {
  const { order, operator } = event;
  const unit = 'unit' in order ? order.unit : null;
  if (unit !== null && !isKnownUnit(unit, rules)) return 'PACE_UNIT_UNKNOWN';
  const phase = unit === null ? 'PRIMARY' : ownPhase(unit, work.book);
  const held = authoritiesOf(operator, rules);
  if (!authoritiesFor(order, phase).some((one) => held.has(one))) return 'PACE_AUTHORITY_MISSING';
  const by = `operator:${operator}`;
  switch (order.op) {
    case 'kill':
      return kill(order.unit, event.id, by, rules, work);
    case 'halt':
      return halt(order.unit, event.id, by, rules, work);
    case 'confirm':
    case 'decline':
      return secondWord(order, by, work);
    case 'resume':
      return resume(order.stop, work);
    case 'raise':
      return raise(order, event.id, by, work);
    case 'recover':
      return recover(order, by, rules, facts, work);
    default:
      return order satisfies never;
  }
}

/**
 * A kill stops at once, whoever gives it. Of a zone or the mesh it becomes final with a second
 * person, or when that one does not come within the window (PA-2.6): then it fails to the stop.
 */
function kill(
  unit: PaceUnit,
  id: string,
  by: string,
  { autonomyTier, settings }: PaceRules,
  work: Work,
): null {
  const waiting = [...work.book.stops.values()].find((stop) =>
    stop.stage === 'suspended' && stop.unit.kind === unit.kind && stop.unit.value === unit.value);
  if (waiting !== undefined) {
    if (waiting.by !== by) finishKill(waiting, work);
    return null;
  }
  if (ownPhase(unit, work.book) === 'EMERGENCY') return null;
  const isWide = unit.kind === 'zone' || unit.kind === 'mesh';
  const needsTwo = isWide && autonomyTier !== 1 && settings.killWindowMs > 0;
  const endsAt = work.at + settings.killWindowMs;
  const stop: Stop = { id, kind: 'kill', unit, by, at: work.at, stage: 'suspended', endsAt };
  if (needsTwo) work.setStop(stop, 'begun');
  else work.move(unit, 'EMERGENCY', 'PACE_KILLED', by, id);
  return null;
}

function halt(
  unit: PaceUnit,
  id: string,
  by: string,
  { settings }: PaceRules,
  work: Work,
): PaceCode | null {
  const runs = [...work.book.stops.values()].some((stop) =>
    stop.kind === 'halt' && stop.unit.kind === unit.kind && stop.unit.value === unit.value);
  if (runs) return 'PACE_STOP_RUNNING';
  const endsAt = work.at + settings.drainMs;
  work.setStop({ id, kind: 'halt', unit, by, at: work.at, stage: 'drain', endsAt }, 'begun');
  return null;
}

function secondWord(
  { op, stop: id }: Extract<PaceOrder, { op: 'confirm' | 'decline' }>,
  by: string,
  work: Work,
): PaceCode | null {
  const stop = work.book.stops.get(id);
  if (stop?.stage !== 'suspended' && stop?.stage !== 'asked') return 'PACE_STOP_UNKNOWN';
  if (stop.by === by) return 'PACE_SECOND_PERSON';
  if (op === 'confirm') finishKill(stop, work);
  else work.endStop(stop, 'lifted');
  return null;
}

function resume(id: string, work: Work): PaceCode | null {
  const stop = work.book.stops.get(id);
  if (stop === undefined || stop.kind !== 'halt') return 'PACE_STOP_UNKNOWN';
  work.endStop(stop, 'lifted');
  return null;
}

/** Emergency is reached by a kill only: that has the second person, and the window. */
function raise(
  { unit, to }: Extract<PaceOrder, { op: 'raise' }>,
  id: string,
  by: string,
  work: Work,
): PaceCode | null {
  if (to === 'EMERGENCY' || to === 'PRIMARY') return 'PACE_STEP_SKIPPED';
  if (!isWorse(to, ownPhase(unit, work.book))) return 'PACE_STEP_SKIPPED';
  work.move(unit, to, 'PACE_ORDERED', by, id);
  return null;
}

/** One step back at a time: Contingency leads to Alternate, Alternate and Emergency to Primary. */
function recover(
  { unit, incident, evidence }: Extract<PaceOrder, { op: 'recover' }>,
  by: string,
  rules: PaceRules,
  facts: PaceFacts,
  work: Work,
): PaceCode | null {
  const state = work.stateOf(unit);
  if (state.phase === 'PRIMARY') return 'PACE_STEP_SKIPPED';
  if (state.incident !== incident) return 'PACE_INCIDENT_STALE';
  if (!isComplete(evidence, state.phase)) return 'PACE_EVIDENCE_MISSING';
  if (unit.kind === 'agent' && facts.isRevoked(unit.value)) return 'PACE_AGENT_REVOKED';
  if (producerIsDown(unit, rules, work)) return 'PACE_DEPENDENCY_DOWN';
  const to = state.phase === 'CONTINGENCY' ? 'ALTERNATE' : 'PRIMARY';
  work.moveBack(unit, to, 'PACE_RECOVERED', by, evidence);
  return null;
}

function isComplete({ rootCause, remediation, baselines }: RecoveryEvidence, phase: string): boolean {
  const said = (text: string): boolean => text.trim() !== '';
  return said(rootCause) && said(remediation) && (phase !== 'EMERGENCY' || said(baselines));
}

/** Whoever needs another workflow comes back after it. */
function producerIsDown(unit: PaceUnit, rules: PaceRules, work: Work): boolean {
  if (unit.kind !== 'workflow') return false;
  const needed = rules.settings.workflows.get(unit.value)?.dependsOn ?? [];
  return needed.some((value) =>
    phaseOf({ kind: 'workflow', value }, work.book, rules) !== 'PRIMARY');
}
