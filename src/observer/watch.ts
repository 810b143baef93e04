// SPDX-License-Identifier: Apache-2.0
import { contextScore } from '../anomaly/context-fill.ts';
import { ledBack, observationOf, type ContextSize } from '../anomaly/observation.ts';
import type { Score } from '../anomaly/combine.ts';
import type { Scorer } from '../anomaly/scorer.ts';
import { verifyPaceOrder } from '../pace/statement.ts';
import { leaseMsMax } from '../identity/lease.ts';
import type { JsonObject } from '../message/json.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import type { ObserverCode } from './codes.ts';

/** Something that the log shows and the mesh does not heed. */
export type Finding = {
  readonly code: ObserverCode;
  readonly agent: string;
  /** Id of the entry that shows it. */
  readonly entry: string;
  readonly at: number;
};

export type WatchOptions = {
  readonly scorer: Scorer;
  readonly contextSize?: ContextSize;
  /** False where the mesh file says that scores are recorded only. */
  readonly scoresAct?: boolean;
  /** Of the mesh file that the observer was given, not of the node. */
  readonly operatorKey: (operator: string) => JsonObject | null;
  /** Units that an agent belongs to, as `KIND:NAME`. */
  readonly unitsOf: (agent: string) => readonly string[];
  /** How long the mesh may take to heed what it recorded. */
  readonly heedMs: number;
};

const isolatesAt = 60;
const findingsMax = 1_000;

/**
 * Reads the log alone, entry by entry, and holds the mesh to what it says: stopped agents begin no tool
 * call, signs isolate, nobody is led back without a signed order for that very incident, and scores that
 * the observer computes by itself are heeded. Time is when an entry was recorded: what an entry says of its own is its
 * writer's word, and one that is far ahead would end the scores of its agent.
 */
export class Watch {
  readonly #options: WatchOptions;
  /** Unit -> phase and when it began. */
  readonly #phases = new Map<string, { readonly phase: string; readonly at: number; readonly incident: string }>();
  /** Agents that have to be isolated, by what shows it. */
  readonly #expected = new Map<string, Finding>();
  #findings: Finding[] = [];
  #latestAt = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  get latestAt(): number {
    return this.#latestAt;
  }

  /** What was found since this was asked last. */
  takeFindings(): readonly Finding[] {
    const found = this.#findings;
    this.#findings = [];
    return found;
  }

  take(entry: RecordedEntry): void {
    this.#latestAt = Math.max(this.#latestAt, entry.recordedAt);
    // A sidecar says nothing of phases: what one that is taken over records of them is no word of the mesh.
    if (entry.kind === 'pace.changed' && agentOf(entry) === null) this.#onPhase(entry);
    if (entry.kind === 'tool.intent') this.#onIntent(entry);
    if (entry.kind === 'indicator.raised' && entry.detail['indicator'] === 'COMPROMISE') this.#onSign(entry);
    this.#onBehaviour(entry);
    this.#look();
  }

  /** Also called when nothing is recorded: what should have happened by now may not have. */
  advance(nowMs: number): void {
    this.#latestAt = Math.max(this.#latestAt, nowMs);
    this.#look();
  }

  #onBehaviour(entry: RecordedEntry): void {
    const { scorer, contextSize = () => null } = this.#options;
    // The same entries as the node heeds, or the two would disagree; how often a day the scorer bounds.
    const back = ledBack(entry);
    if (back !== null) scorer.stoodStill((agent) => isIn(back, this.#options.unitsOf(agent)), entry.recordedAt);
    const observation = observationOf(entry, entry.recordedAt, contextSize);
    if (observation === null) return;
    for (const score of scorer.take(observation)) this.#onScore(score, entry.id);
    const { agent, contextFill } = observation;
    if (contextFill !== null) this.#onScore({ agent, score: contextScore(contextFill) }, entry.id);
  }

  #onPhase(entry: RecordedEntry): void {
    const { unit, fromPhase, toPhase: phase, incident, signed, by } = entry.detail;
    if (typeof unit !== 'string' || typeof phase !== 'string') return;
    const before = this.#phases.get(unit);
    const isBack = rank(phase) < rank(typeof fromPhase === 'string' ? fromPhase : phase);
    if (isBack && !this.#isEarned(entry, String(signed), before?.incident ?? String(incident), unit)) {
      this.#found('OBSERVER_RECOVERY_UNSIGNED', unit, entry.id);
    }
    this.#phases.set(unit, { phase, at: entry.recordedAt, incident: String(incident) });
    if (rank(phase) > 0 && by !== undefined) this.#expected.delete(unit.replace(/^agent:/, ''));
  }

  /** Healing is PACE's own; anything else needs the operator's signature over this incident and evidence. */
  #isEarned(entry: RecordedEntry, signed: string, incident: string, unit: string): boolean {
    if (entry.code === 'PACE_HEALED') return entry.detail['fromPhase'] === 'ALTERNATE';
    const verified = verifyPaceOrder(signed, this.#options.operatorKey);
    if (!verified.ok || verified.statement.order.op !== 'recover') return false;
    const { order } = verified.statement;
    const named = `${order.unit.kind}:${order.unit.value}`;
    return named === unit && order.incident === incident && order.evidence.rootCause.trim() !== '';
  }

  #onIntent(entry: RecordedEntry): void {
    const agent = agentOf(entry);
    if (agent === null) return;
    for (const unit of this.#options.unitsOf(agent)) {
      const state = this.#phases.get(unit);
      const isOwn = unit === `agent:${agent}`;
      const stops = state?.phase === 'EMERGENCY' || (isOwn && rank(state?.phase ?? '') > 0);
      if (stops && entry.at > (state?.at ?? Infinity) + leaseMsMax) {
        this.#found('OBSERVER_STOPPED_AGENT_ACTS', agent, entry.id);
      }
    }
  }

  #onSign(entry: RecordedEntry): void {
    const named = entry.detail['agent'];
    const agent = entry.actor === 'node' && typeof named === 'string' ? named : agentOf(entry);
    if (agent !== null) this.#expect('OBSERVER_SIGN_UNHEEDED', agent, entry.id);
  }

  #onScore({ agent, score }: Pick<Score, 'agent' | 'score'>, entry: string): void {
    if (this.#options.scoresAct === false) return;
    if (score >= isolatesAt) this.#expect('OBSERVER_SCORE_UNHEEDED', agent, entry);
  }

  #expect(code: ObserverCode, agent: string, entry: string): void {
    if (rank(this.#phases.get(`agent:${agent}`)?.phase ?? '') > 0 || this.#expected.has(agent)) return;
    this.#expected.set(agent, { code, agent, entry, at: this.#latestAt });
  }

  #look(): void {
    for (const [agent, finding] of this.#expected) {
      if (this.#latestAt - finding.at < this.#options.heedMs) continue;
      this.#expected.delete(agent);
      this.#found(finding.code, agent, finding.entry);
    }
  }

  #found(code: ObserverCode, agent: string, entry: string): void {
    if (this.#findings.length < findingsMax) {
      this.#findings.push({ code, agent, entry, at: this.#latestAt });
    }
  }
}

/** The whole mesh is also whom the mesh file does not name any more. */
function isIn(unit: string, units: readonly string[]): boolean {
  return unit === 'mesh:mesh' || units.includes(unit);
}

function agentOf({ actor }: RecordedEntry): string | null {
  const [kind = '', name = ''] = actor.split(':');
  return kind === 'agent' || kind === 'sidecar' ? name : null;
}

function rank(phase: string): number {
  return Math.max(0, ['PRIMARY', 'ALTERNATE', 'CONTINGENCY', 'EMERGENCY'].indexOf(phase));
}
