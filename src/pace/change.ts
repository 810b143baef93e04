// SPDX-License-Identifier: Apache-2.0
import { healsMax, healWindowMs } from '../mesh/pace-settings.ts';
import type { PaceBook, PaceChange, PaceEvent, UnitState } from './book.ts';
import { isWorse, ownPhase } from './clamp.ts';
import type { PaceFacts } from './facts.ts';
import { changeByOrder } from './order.ts';
import { spread } from './spread.ts';
import type { PaceRules } from './rules.ts';
import { agentUnit, meshUnit, type PaceUnit } from './unit.ts';
import { finishKill, Work } from './work.ts';

/** Agents without a way to each other that wider scopes need before they move. */
export const independentRootsMin = 3;
export const scoreIsolates = 60;
const scoreContains = 80;
/** Below it an isolated agent counts as calm. */
const scoreCalm = 40;

/**
 * The whole of PACE as one pure step. A refusal changes nothing; a change carries every step of it,
 * for the record, and the next version. Controls OB-2.2, EC-3.2, PA-2.6, ENV-21, ENV-22.
 */
export function changePace(
  book: PaceBook,
  event: PaceEvent,
  rules: PaceRules,
  facts: PaceFacts,
): PaceChange {
  const work = new Work(book, event.at);
  switch (event.kind) {
    case 'sign':
      onSign(event.agent, event.id, rules, work);
      break;
    case 'score':
      onScore(event, rules, work);
      break;
    case 'order': {
      const code = changeByOrder(event, rules, facts, work);
      if (code !== null) return { ok: false, code };
      break;
    }
    case 'asked':
      onAsked(event.id, rules, work);
      break;
    case 'drained':
      onDrained(event.stop, work);
      break;
    case 'tick':
      onTick(rules, facts, work);
      break;
    default:
      return event satisfies never;
  }
  if (work.isTouched) spread(book, rules, work);
  return work.done();
}

function onSign(agent: string, id: string, rules: PaceRules, work: Work): void {
  if (!rules.places.has(agent)) return;
  const unit = agentUnit(agent);
  const count = work.sign(unit, rules.settings.windowMs);
  if (count >= rules.settings.isolateAfter) isolate(unit, 'PACE_COMPROMISE', id, rules, work);
}

/** NaN is no score that anybody should go on with: it counts as one that isolates. */
function onScore(event: Extract<PaceEvent, { kind: 'score' }>, rules: PaceRules, work: Work): void {
  const { agent, score, id, byContext = false } = event;
  if (!rules.places.has(agent) || score < scoreCalm) return;
  const unit = agentUnit(agent);
  const wasPrimary = ownPhase(unit, work.book) === 'PRIMARY';
  if (score >= scoreContains) {
    work.move(unit, 'CONTINGENCY', 'PACE_SCORE_CONTAINS', 'pace', id);
    if (wasPrimary) work.fill(unit, byContext);
    else if (!byContext) countAfterAll(unit, id, rules, work);
    return;
  }
  if (!wasPrimary) work.sign(unit, rules.settings.healAfterMs);
  if (!(score < scoreIsolates)) isolate(unit, 'PACE_SCORE_ISOLATES', id, rules, work, byContext);
}

/** Of the agent alone. The fourth time within a day it does not come back by itself any more. */
function isolate(
  unit: PaceUnit,
  code: 'PACE_COMPROMISE' | 'PACE_SCORE_ISOLATES',
  id: string,
  rules: PaceRules,
  work: Work,
  byContext = false,
): void {
  const { phase, healed } = work.stateOf(unit);
  if (phase !== 'PRIMARY') {
    if (!byContext) countAfterAll(unit, id, rules, work);
    // It was stopped for a score, and would have come back by itself, or for a drill, and would be led back:
    // whoever leads it back now has to name the sign.
    const isNews = phase !== 'EMERGENCY' && work.stateOf(unit).code !== 'PACE_COMPROMISE';
    if (isNews && code === 'PACE_COMPROMISE') work.stayFor(unit, code, id);
    return;
  }
  const cycles = healed.filter((time) => time > work.at - healWindowMs).length;
  if (cycles >= healsMax) work.move(unit, 'CONTINGENCY', 'PACE_CYCLES_SPENT', 'pace', id);
  else work.move(unit, 'ALTERNATE', code, 'pace', id);
  work.fill(unit, byContext);
  if (!byContext) widen(unit, id, rules, work);
}

/** Only its context isolated it, and now something did that no peer brings about by sending much. */
function countAfterAll(unit: PaceUnit, id: string, rules: PaceRules, work: Work): void {
  if (work.stateOf(unit).isFilled !== true) return;
  work.fill(unit, false);
  widen(unit, id, rules, work);
}

/**
 * A wider scope moves only where signs have roots that cannot be one and the same. A full context is none:
 * whoever sends much to three agents fills all three.
 */
function widen(unit: PaceUnit, id: string, rules: PaceRules, work: Work): void {
  const place = rules.places.get(unit.value);
  if (place === undefined) return;
  const { workflows } = rules.settings;
  const scopes: PaceUnit[] = place.workflows.map((value) => ({ kind: 'workflow', value }));
  for (const scope of [...scopes, meshUnit]) {
    const members = scope.kind === 'mesh'
      ? [...rules.places.keys()]
      : (workflows.get(scope.value)?.agents ?? []);
    const failed = members.filter((agent) => {
      const { phase, isFilled } = work.stateOf(agentUnit(agent));
      return phase !== 'PRIMARY' && isFilled !== true;
    });
    const standbyFailed = place.standbyFor !== null && scope.kind === 'workflow';
    if (independentRoots(failed, rules) < independentRootsMin && !standbyFailed) continue;
    if (rules.autonomyTier === 3) {
      work.move(scope, 'CONTINGENCY', 'PACE_ROOTS_INDEPENDENT', 'pace', id);
    } else if (!isWorse(ownPhase(scope, work.book), 'ALTERNATE')) {
      work.step({ kind: 'proposed', unit: scope, to: 'CONTINGENCY', code: 'PACE_ROOTS_INDEPENDENT' });
    }
  }
}

/**
 * How many of these agents cannot have been turned by another one of them: an agent that another
 * one reaches along declared edges may be its victim, and counts for nothing.
 */
export function independentRoots(agents: readonly string[], { reach }: PaceRules): number {
  const roots: string[] = [];
  for (const agent of agents) {
    const isLinked = roots.some((root) =>
      reach.get(root)?.has(agent) === true || reach.get(agent)?.has(root) === true);
    if (!isLinked) roots.push(agent);
  }
  return roots.length;
}

/** People answer by confirming or declining; one question at a time is enough for the whole mesh. */
function onAsked(id: string, { settings }: PaceRules, work: Work): void {
  const asked = [...work.book.stops.values()].some(({ stage }) => stage === 'asked');
  if (asked || ownPhase(meshUnit, work.book) === 'EMERGENCY') return;
  const endsAt = work.at + settings.observerWindowMs;
  work.setStop({
    id, kind: 'kill', unit: meshUnit, by: 'observer', at: work.at, stage: 'asked', endsAt,
  }, 'begun');
}

function onDrained(id: string, work: Work): void {
  const stop = work.book.stops.get(id);
  if (stop?.stage === 'drain') work.setStop({ ...stop, stage: 'frozen', endsAt: null }, 'frozen');
}

function onTick(rules: PaceRules, facts: PaceFacts, work: Work): void {
  for (const stop of work.book.stops.values()) {
    if (stop.endsAt === null || work.at < stop.endsAt) continue;
    // Whoever should confirm did not come: doubt ends in the stop, not in going on.
    if (stop.stage === 'suspended' || stop.stage === 'asked') finishKill(stop, work);
    else onDrained(stop.id, work);
  }
  for (const state of work.book.units.values()) {
    if (state.phase !== 'ALTERNATE') continue;
    const { settings } = rules;
    if (work.at - state.since >= settings.alternateMsMax) {
      const incident = state.incident ?? '';
      work.move(state.unit, 'CONTINGENCY', 'PACE_ALTERNATE_TOO_LONG', 'pace', incident);
    } else if (mayHeal(state, rules, facts, work)) {
      work.moveBack(state.unit, 'PRIMARY', 'PACE_HEALED', 'pace', null);
    }
  }
}

/** Tier 3 only, only after a score, never after evidence of compromise, and never twice too often. */
function mayHeal(state: UnitState, rules: PaceRules, facts: PaceFacts, work: Work): boolean {
  const { settings, autonomyTier, places } = rules;
  const { unit, code, since, signs, healed } = state;
  if (autonomyTier !== 3 || unit.kind !== 'agent' || settings.healAfterMs === 0) return false;
  if (code !== 'PACE_SCORE_ISOLATES' || work.at - since < settings.healAfterMs) return false;
  if (healed.filter((time) => time > work.at - healWindowMs).length >= healsMax) return false;
  const calmSince = work.at - settings.healAfterMs;
  const isCalm = (times: readonly number[]): boolean => times.every((time) => time <= calmSince);
  if (!isCalm(signs) || facts.isRevoked(unit.value)) return false;
  const standbys = [...places.values()].filter(({ standbyFor }) => standbyFor === unit.value);
  return standbys.every(({ name }) => {
    const standby = work.stateOf(agentUnit(name));
    return standby.phase === 'PRIMARY' && isCalm(standby.signs);
  });
}
