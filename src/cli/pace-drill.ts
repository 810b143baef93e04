// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../adapters/clock-system.ts';
import { makeFolders } from '../adapters/folders.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { mintUlid } from '../message/identifiers.ts';
import { isJsonObject, type JsonObject } from '../message/json.ts';
import type { PaceOrder } from '../pace/book.ts';
import { meshUnit, parseUnit, unitKey, type PaceUnit } from '../pace/unit.ts';
import { simulate } from '../simulation/simulate.ts';
import { stories, tell } from '../simulation/stories.ts';
import type { RevocationOptions } from './agent.ts';
import type { CommandIo } from './check.ts';
import { askNode, sayRefused } from './control.ts';
import { fetchPace, signOrder } from './pace.ts';
import { makeStage } from './simulation-stage.ts';
import { stateDirectoryOf } from './state.ts';

/** On a running mesh, each with its way there and its way back. */
const live: { readonly [scenario: string]: readonly Step[] } = {
  isolate: [{ to: 'ALTERNATE' }, { back: 'PRIMARY' }],
  contain: [{ to: 'CONTINGENCY' }, { back: 'ALTERNATE' }, { back: 'PRIMARY' }],
  halt: [{ halts: true }, { resumes: true }],
};
export const drillScenarios: readonly string[] = [...Object.keys(live), ...stories, 'faults'];

type Step =
  | { readonly to: 'ALTERNATE' | 'CONTINGENCY' }
  | { readonly back: 'PRIMARY' | 'ALTERNATE' }
  | { readonly halts: true }
  | { readonly resumes: true };

export type DrillOptions = RevocationOptions & {
  readonly scenario: string;
  readonly unit?: string;
  readonly seed?: string;
  readonly evidence?: string;
};

/** One step with what was seen of it; `id` is that of the signed order, which is on record. */
type Evidence = {
  readonly step: string;
  readonly id: string | null;
  readonly tookMs: number;
  readonly ok: boolean;
  readonly seen: JsonObject;
};

const effectWaitMs = 10_000;
const drainWaitMs = 60_000;
const lookEveryMs = 50;
const simulatedSeeds = 10;

/**
 * `maso pace drill SCENARIO`: goes through a scenario and back, on the running mesh or in simulated time, and
 * keeps what it saw. ENV-23. Exit code 1 where the mesh did not do what it should.
 */
export async function paceDrill(options: DrillOptions, io: CommandIo): Promise<number> {
  const { scenario, json } = options;
  const stateDirectory = stateDirectoryOf(options.state, null);
  const clock = systemClock();
  const drill = mintUlid(clock, systemRandom);
  const startedAt = clock.nowMs();
  const steps = live[scenario];
  let evidence: readonly Evidence[];
  if (steps !== undefined) {
    const unit = parseUnit(options.unit ?? '');
    if (unit === null) return sayRefused('PACE_UNIT_UNKNOWN', json, io);
    const refused = 'to' in (steps[0] ?? {}) ? refusalOf(unit, options.as, await fetchPace(stateDirectory)) : null;
    if (refused !== null) return sayRefused(refused, json, io);
    evidence = await walk(unit, steps, `drill ${drill}`, options, stateDirectory);
  } else {
    const seed = Number(options.seed ?? Math.floor(Math.random() * 1e9));
    evidence = await imagine(scenario, seed);
  }
  const ok = evidence.length > 0 && evidence.every((one) => one.ok);
  const report = { drill, scenario, unit: options.unit ?? null, startedAt, ok, steps: evidence };
  const file = keep(report, options.evidence ?? join(stateDirectory, 'drills', `${drill}.json`));
  if (json) io.out(JSON.stringify({ ...report, file }));
  else {
    for (const { step, tookMs, ok: held, seen } of evidence) {
      for (const { at, what } of objects(seen['steps'])) io.out(`     ${String(at)}  ${String(what)}`);
      io.out(`${held ? 'ok  ' : 'FAIL'} ${step} (${tookMs} ms)`);
    }
    io.out(`${ok ? 'Everything did what it should.' : 'Something did not do what it should.'} Kept in ${file}.`);
  }
  return ok ? 0 : 1;
}

/**
 * Null where the way back is open. Without it the drill would leave the part stopped; and one that is stopped already
 * is so for a reason of its own, which no drill leads back.
 */
function refusalOf(unit: PaceUnit, operator: string, shown: JsonObject): 'PACE_DRILL_BUSY' | 'PACE_AUTHORITY_MISSING' | null {
  const state = objects(shown['units']).find((one) => one['unit'] === unitKey(unit));
  if ((state?.['phase'] ?? 'PRIMARY') !== 'PRIMARY') return 'PACE_DRILL_BUSY';
  const back = Array.isArray(shown['leadsBack']) ? shown['leadsBack'] : null;
  return back === null || back.includes(operator) ? null : 'PACE_AUTHORITY_MISSING';
}

/** Each order is signed and recorded like any other; whatever was raised is led back, also after a failure. */
async function walk(
  unit: PaceUnit,
  steps: readonly Step[],
  reason: string,
  options: DrillOptions,
  stateDirectory: string,
): Promise<readonly Evidence[]> {
  const evidence: Evidence[] = [];
  // Of the order that began it: what stops the part for a reason of its own meanwhile has another incident.
  let first: string | null = null;
  for (const step of steps) {
    const startedMs = performance.now();
    const order = orderFor(step, unit, first ?? '');
    const { id, signed } = await signOrder(order, { ...options, reason }, stateDirectory);
    const answer = await askNode(stateDirectory, 'POST', '/v1/pace/orders', { signed });
    first ??= id;
    const isTaken = answer.status === 200;
    const seen = isTaken ? await effectOf(step, unit, stateDirectory) : { code: String(answer.body['code']) };
    const ok = isTaken && seen['holds'] === true;
    evidence.push({ step: nameOf(step), id, tookMs: Math.round(performance.now() - startedMs), ok, seen });
    if (!isTaken && evidence.length === 1) return evidence;
  }
  return evidence;
}

function orderFor(step: Step, unit: PaceUnit, first: string): PaceOrder {
  if ('to' in step) return { op: 'raise', unit, to: step.to };
  if ('halts' in step) return { op: 'halt', unit };
  if ('resumes' in step) return { op: 'resume', stop: first };
  const evidence = { rootCause: 'a drill', remediation: 'none needed', baselines: 'as before' };
  return { op: 'recover', unit, incident: first, evidence };
}

/** What every connected sidecar has to have heard of, with the calls that it stopped. */
async function effectOf(step: Step, unit: PaceUnit, stateDirectory: string): Promise<JsonObject> {
  const waitMs = 'halts' in step ? drainWaitMs : effectWaitMs;
  const startedMs = performance.now();
  let seen: JsonObject = {};
  do {
    const shown = await fetchPace(stateDirectory);
    const phase = objects(shown['units']).find((one) => one['unit'] === unitKey(unit))?.['phase'] ?? 'PRIMARY';
    const stages = objects(shown['stops']).filter((one) => one['unit'] === unitKey(unit)).map((one) => String(one['stage']));
    const agents = objects(shown['agents']).map((one) => `${String(one['agent'])} ${String(one['allows'])}`);
    const isThere = 'to' in step ? phase === step.to
      : 'back' in step ? phase === step.back
        : 'halts' in step ? stages.includes('frozen') : stages.length === 0;
    const isTold = objects(shown['agents']).every((one) =>
      // A standby that waits does nothing in PRIMARY, and has no account to give.
      one['connected'] !== true || one['allows'] !== 'nothing' || one['phase'] === 'PRIMARY' || one['account'] !== null);
    seen = { holds: isThere && isTold, phase: String(phase), stages, agents, version: Number(shown['version']) };
    if (seen['holds'] === true) return seen;
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  } while (performance.now() - startedMs < waitMs);
  return seen;
}

/** Scenarios that no running mesh should have: nights of the framework's examples, and random faults. */
async function imagine(scenario: string, seed: number): Promise<readonly Evidence[]> {
  const startedMs = performance.now();
  const name = stories.find((one) => one === scenario);
  if (name !== undefined) {
    const { steps, endsWell } = tell(name, seed);
    const seen = { seed, steps: steps.map((step) => ({ ...step })) };
    return [{ step: `${name}, seed ${seed}`, id: null, tookMs: Math.round(performance.now() - startedMs), ok: endsWell, seen }];
  }
  const stage = await makeStage();
  const evidence: Evidence[] = [];
  for (let index = 0; index < simulatedSeeds; index += 1) {
    const begunMs = performance.now();
    const report = await simulate(stage, { seed: (seed + index) >>> 0, forMs: 15_000, weakness: null });
    const { violations, faults, trace, steps } = report;
    evidence.push({
      step: `faults, seed ${report.seed}`, id: null, tookMs: Math.round(performance.now() - begunMs),
      ok: violations.length === 0, seen: { violations: violations.map((one) => ({ ...one })), faults: { ...faults }, trace, steps },
    });
  }
  return evidence;
}

function keep(report: object, file: string): string {
  makeFolders(join(file, '..'), 0o700);
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
  return file;
}

function nameOf(step: Step): string {
  if ('to' in step) return `raise to ${step.to}`;
  if ('back' in step) return `lead back to ${step.back}`;
  return 'halts' in step ? 'halt, until it has stopped' : 'resume';
}

function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** For help texts. */
export const drillUnitHelp = `agent:NAME, type:NAME, workflow:NAME, zone:NAME or ${unitKey(meshUnit)}; for isolate, contain and halt`;
