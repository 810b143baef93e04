// SPDX-License-Identifier: Apache-2.0
import type { PaceBook } from './book.ts';
import type { PaceClamp, PacePhase } from './pace-view.ts';
import type { PaceFacts } from './facts.ts';
import type { PaceRules } from './rules.ts';
import { agentUnit, covers, unitKey, unitsOf, type AgentPlace, type PaceUnit } from './unit.ts';

export const phases = ['PRIMARY', 'ALTERNATE', 'CONTINGENCY', 'EMERGENCY'] as const;
const allowances = ['all', 'supervised', 'read-only', 'nothing'] as const;

const stopped: PaceClamp = { phase: 'EMERGENCY', allows: 'nothing' };

export function isWorse(one: PacePhase, other: PacePhase): boolean {
  return phases.indexOf(one) > phases.indexOf(other);
}

/**
 * What an agent may do now: the most restrictive of all that holds for it. One that the rules do not
 * know, or that is revoked, may do nothing.
 */
export function clampOf(
  agent: string,
  book: PaceBook,
  rules: PaceRules,
  facts: PaceFacts,
  nowMs: number,
): PaceClamp {
  const place = rules.places.get(agent);
  if (place === undefined) return stopped;
  const clamps = unitsOf(place).map((unit) => unitClamp(unit, place, book, rules));
  clamps.push(standbyClamp(place, book, rules, nowMs), ...stopClamps(place, book));
  const clamp = clamps.reduce(stricter);
  return facts.isRevoked(agent) ? { ...clamp, allows: 'nothing' } : clamp;
}

/** The phase that holds for a workflow: its own, that of its members, and of those it needs. */
export function phaseOf(unit: PaceUnit, book: PaceBook, rules: PaceRules): PacePhase {
  const own = ownPhase(unit, book);
  if (unit.kind !== 'workflow') return own;
  const workflow = rules.settings.workflows.get(unit.value);
  if (workflow === undefined) return own;
  const isolated = workflow.agents.some((agent) => ownPhase(agentUnit(agent), book) !== 'PRIMARY');
  const pulled = workflow.cascade === 'automatic' && workflow.dependsOn.some((needed) =>
    isWorse(phaseOf({ kind: 'workflow', value: needed }, book, rules), 'ALTERNATE'));
  return (isolated || pulled) && own === 'PRIMARY' ? 'ALTERNATE' : own;
}

export function ownPhase(unit: PaceUnit, book: PaceBook): PacePhase {
  return book.units.get(unitKey(unit))?.phase ?? 'PRIMARY';
}

/** Combines two clamps: the worse phase, what both allow, and draining where either drains. */
export function stricter(one: PaceClamp, other: PaceClamp): PaceClamp {
  const phase = isWorse(one.phase, other.phase) ? one.phase : other.phase;
  const rank = Math.max(allowances.indexOf(one.allows), allowances.indexOf(other.allows));
  const clamp = { phase, allows: allowances[rank] ?? 'nothing' };
  const draining = one.draining === true || other.draining === true;
  return draining ? { ...clamp, draining } : clamp;
}

export function sameClamp(one: PaceClamp, other: PaceClamp): boolean {
  return one.phase === other.phase && one.allows === other.allows &&
    (one.draining === true) === (other.draining === true);
}

function unitClamp(
  unit: PaceUnit,
  place: AgentPlace,
  book: PaceBook,
  rules: PaceRules,
): PaceClamp {
  const phase = phaseOf(unit, book, rules);
  if (phase === 'PRIMARY') return { phase, allows: 'all' };
  // The one agent whose sign it was is off the bus and off its tools, in every phase.
  if (unit.kind === 'agent' || phase === 'EMERGENCY') return { phase, allows: 'nothing' };
  if (phase === 'ALTERNATE') return { phase, allows: 'supervised' };
  return { phase, allows: isSupervised(unit, place, rules) ? 'supervised' : 'nothing' };
}

/** The pre-validated agent that Contingency leaves at work. */
function isSupervised(unit: PaceUnit, { name }: AgentPlace, { settings }: PaceRules): boolean {
  const [first] = settings.workflows.values();
  const workflow = unit.kind === 'workflow' ? settings.workflows.get(unit.value) : first;
  if (unit.kind !== 'workflow' && unit.kind !== 'mesh') return false;
  return workflow?.supervised === name;
}

/** Idle while the agent that it stands in for works; first it reads, then it writes with a person. */
function standbyClamp(
  { standbyFor }: AgentPlace,
  book: PaceBook,
  { settings }: PaceRules,
  nowMs: number,
): PaceClamp {
  if (standbyFor === null) return { phase: 'PRIMARY', allows: 'all' };
  const replaced = book.units.get(unitKey(agentUnit(standbyFor)));
  if (replaced === undefined || replaced.phase === 'PRIMARY') {
    return { phase: 'PRIMARY', allows: 'nothing' };
  }
  const proven = nowMs >= replaced.since + settings.probationMs;
  return { phase: 'ALTERNATE', allows: proven ? 'supervised' : 'read-only' };
}

function stopClamps(place: AgentPlace, book: PaceBook): readonly PaceClamp[] {
  return [...book.stops.values()].filter(({ unit, stage }) => stage !== 'asked' && covers(unit, place)).map(({ kind, stage }) => {
    if (stage === 'drain') return { phase: 'PRIMARY', allows: 'all', draining: true };
    return { phase: kind === 'kill' ? 'EMERGENCY' : 'CONTINGENCY', allows: 'nothing' };
  });
}
