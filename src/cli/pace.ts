// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '../adapters/clock-system.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { signPaceOrder } from '../pace/statement.ts';
import { leaseMsDefault } from '../identity/lease.ts';
import { mintUlid } from '../message/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';
import type { PaceOrder } from '../pace/book.ts';
import { phases } from '../pace/clamp.ts';
import { failureModes } from '../pace/modes.ts';
import { parseUnit, type PaceUnit } from '../pace/unit.ts';
import { nodeDirectories } from '../process/directories.ts';
import { StopOrders } from '../process/stop-orders.ts';
import type { RevocationOptions } from './agent.ts';
import type { CommandIo } from './check.ts';
import { askNode, keyOfOperator, sayRefused } from './control.ts';
import { stateDirectoryOf } from './state.ts';

type ShowOptions = { readonly state: string; readonly json: boolean };
type UnitOptions = RevocationOptions & { readonly unit: string };

/** How long a node may take before a kill is left at its door as well. */
const answerWaitMs = 600;
const accountsWaitMs = 3_000;
const lookEveryMs = 50;

/** `maso pace status`: every unit that is not as usual, what is under way, and every agent. */
export async function paceStatus(options: ShowOptions, io: CommandIo): Promise<number> {
  const shown = await fetchPace(stateDirectoryOf(options.state, null));
  if (options.json) {
    io.out(JSON.stringify(shown));
    return 0;
  }
  const units = objectsOf(shown['units']).filter((unit) => unit['phase'] !== 'PRIMARY');
  if (units.length === 0 && objectsOf(shown['stops']).length === 0) io.out('Everything is in PRIMARY.');
  for (const unit of units) {
    io.out(`${text(unit['unit']).padEnd(28)} ${text(unit['phase']).padEnd(12)} ${text(unit['code'])}`);
    io.out(`  since ${timeOf(unit['since'])} by ${text(unit['by'])}, incident ${text(unit['incident'])}`);
  }
  for (const workflow of objectsOf(shown['workflows']).filter(({ phase }) => phase !== 'PRIMARY')) {
    const because = Array.isArray(workflow['because']) ? workflow['because'].map(text) : [];
    if (because.length === 0) continue;
    io.out(`${`workflow:${text(workflow['workflow'])}`.padEnd(28)} ${text(workflow['phase']).padEnd(12)} because of ${because.join(', ')}`);
  }
  for (const stop of objectsOf(shown['stops'])) {
    io.out(`${text(stop['unit']).padEnd(28)} ${text(stop['kind'])} ${text(stop['stage'])}  ${text(stop['id'])}`);
    const until = stop['endsAt'] === null ? '' : `, goes on by itself at ${timeOf(stop['endsAt'])}`;
    io.out(`  by ${text(stop['by'])} at ${timeOf(stop['at'])}${until}`);
  }
  if (isJsonObject(shown['observer'])) io.out(observerLine(shown['observer']));
  for (const agent of objectsOf(shown['agents'])) {
    const drains = agent['draining'] === true ? ', draining' : '';
    io.out(`  ${text(agent['agent']).padEnd(26)} ${text(agent['phase']).padEnd(12)} ${text(agent['allows'])}${drains}`);
  }
  return 0;
}

function observerLine({ consents, heardAt, test }: JsonObject): string {
  const said = consents === true ? 'consents' : 'does not consent: HIGH and CRITICAL stand still';
  const heard = heardAt === null ? 'not heard of yet' : `heard ${timeOf(heardAt)}`;
  const { made = 0, missed = null } = isJsonObject(test) ? test : {};
  const found = Array.isArray(missed) ? `${Number(made) - missed.length} of ${text(made)} made-up anomalies found` : 'no self-test yet';
  return `observer ${said}, ${heard}, ${found}`;
}

/** `maso pace rollback`: what emergencies undo, and what is left to people. */
export async function paceRollback(options: ShowOptions, io: CommandIo): Promise<number> {
  const { rollback } = await fetchPace(stateDirectoryOf(options.state, null));
  const undos = objectsOf(rollback);
  if (options.json) {
    io.out(JSON.stringify({ rollback: undos }));
    return 0;
  }
  if (undos.length === 0) io.out('Nothing is being undone.');
  for (const undo of undos) {
    const code = undo['code'] === null ? '' : `  ${text(undo['code'])}`;
    io.out(`${text(undo['state']).padEnd(9)} ${text(undo['action'])} by ${text(undo['executor'])} for ${text(undo['requester'])}${code}`);
    const by = undo['undo'] === null ? 'no action is declared that undoes it' : `undone by ${text(undo['undo'])}`;
    io.out(`  ${text(undo['request'])}, done ${timeOf(undo['at'])}, ${by}, incident ${text(undo['incident'])}`);
  }
  return 0;
}

/** `maso pace modes`: what each control does when it fails. */
export function paceModes(options: { readonly json: boolean }, io: CommandIo): number {
  if (options.json) io.out(JSON.stringify({ modes: failureModes }));
  else for (const { control, fails, safeState, code, keeps } of failureModes) {
    io.out(`${control}${code === null ? '' : `  ${code}`}`);
    io.out(`  fails when  ${fails}`);
    io.out(`  then        ${safeState}`);
    io.out(`  goes on     ${keeps}`);
  }
  return 0;
}

/** `maso kill UNIT`: nothing of it acts any more, within a second; the node need not be well. */
export async function kill(options: UnitOptions, io: CommandIo): Promise<number> {
  const unit = parseUnit(options.unit);
  if (unit === null) return sayRefused('PACE_UNIT_UNKNOWN', options.json, io);
  const stateDirectory = stateDirectoryOf(options.state, null);
  const startedMs = performance.now();
  const { id, signed } = await signOrder({ op: 'kill', unit }, options, stateDirectory);
  const answered = askNode(stateDirectory, 'POST', '/v1/pace/orders', { signed }).catch(() => null);
  let answer = await within(answered, answerWaitMs);
  if (answer === null) {
    // It hangs or is down: it finds the order before it gives anybody another lease.
    new StopOrders(nodeDirectories(stateDirectory).stops).leave(id, signed);
    answer = await within(answered, leaseMsDefault);
  }
  const tookMs = (): number => Math.round(performance.now() - startedMs);
  if (answer === null) {
    const left = { id, unit: options.unit, state: 'left', leaseMs: leaseMsDefault, tookMs: tookMs() };
    if (options.json) io.out(JSON.stringify(left));
    else {
      io.out(`The node does not answer. The order ${id} lies at its door, and no lease is given before it is read.`);
      io.out(`Nothing acts any more ${leaseMsDefault / 1000} s after the node stopped, here or behind a cut network.`);
    }
    return 0;
  }
  if (answer.status !== 200) return sayRefused(text(answer.body['code']), options.json, io);
  if (answer.body['suspended'] === true) return saySuspended(id, options, tookMs(), io);
  const report = await reportOf(id, stateDirectory);
  return sayStopped('killed', id, options, report, tookMs(), io);
}

/** `maso halt UNIT`: what was begun may end, then nothing goes on; resumed by people. */
export async function halt(options: UnitOptions & { readonly wait: boolean }, io: CommandIo): Promise<number> {
  const unit = parseUnit(options.unit);
  if (unit === null) return sayRefused('PACE_UNIT_UNKNOWN', options.json, io);
  const stateDirectory = stateDirectoryOf(options.state, null);
  const startedMs = performance.now();
  const { id, signed } = await signOrder({ op: 'halt', unit }, options, stateDirectory);
  const answer = await askNode(stateDirectory, 'POST', '/v1/pace/orders', { signed });
  if (answer.status !== 200) return sayRefused(text(answer.body['code']), options.json, io);
  if (!options.wait) {
    if (options.json) io.out(JSON.stringify({ id, unit: options.unit, state: 'draining' }));
    else io.out(`Draining ${options.unit}: nothing new begins. maso pace status shows when it has stopped (${id}).`);
    return 0;
  }
  let report: JsonObject | null = null;
  for (let drains = true; drains && report === null;) {
    report = await reportOf(id, stateDirectory);
    drains = objectsOf((await fetchPace(stateDirectory))['stops'])
      .some((stop) => stop['id'] === id && stop['stage'] === 'drain');
  }
  report ??= await reportOf(id, stateDirectory);
  return sayStopped('halted', id, options, report, Math.round(performance.now() - startedMs), io);
}

/** `maso pace confirm | decline | resume STOP`. */
export function paceStop(
  op: 'confirm' | 'decline' | 'resume',
  options: RevocationOptions & { readonly stop: string },
  io: CommandIo,
): Promise<number> {
  return give({ op, stop: options.stop }, options, io);
}

/** `maso pace transition UNIT PHASE`: raises a phase; a kill alone leads to Emergency. */
export async function paceTransition(
  options: UnitOptions & { readonly phase: string },
  io: CommandIo,
): Promise<number> {
  const unit = parseUnit(options.unit);
  const to = phases.find((phase) => phase === options.phase.toUpperCase());
  if (unit === null) return sayRefused('PACE_UNIT_UNKNOWN', options.json, io);
  if (to === undefined) return sayRefused('PACE_STEP_SKIPPED', options.json, io);
  return give({ op: 'raise', unit, to }, options, io);
}

/** `maso pace recover UNIT`: one step back, with evidence that stays on record. */
export async function paceRecover(
  options: UnitOptions & {
    readonly rootCause: string;
    readonly remediation: string;
    readonly baselines: string;
  },
  io: CommandIo,
): Promise<number> {
  const unit = parseUnit(options.unit);
  if (unit === null) return sayRefused('PACE_UNIT_UNKNOWN', options.json, io);
  const shown = await fetchPace(stateDirectoryOf(options.state, null));
  const state = objectsOf(shown['units']).find((one) => one['unit'] === unitText(unit));
  const { rootCause, remediation, baselines } = options;
  const evidence = { rootCause, remediation, baselines };
  const incident = typeof state?.['incident'] === 'string' ? state['incident'] : '';
  return give({ op: 'recover', unit, incident, evidence }, options, io);
}

async function give(order: PaceOrder, options: RevocationOptions, io: CommandIo): Promise<number> {
  const stateDirectory = stateDirectoryOf(options.state, null);
  const { id, signed } = await signOrder(order, options, stateDirectory);
  const answer = await askNode(stateDirectory, 'POST', '/v1/pace/orders', { signed });
  if (answer.status !== 200) return sayRefused(text(answer.body['code']), options.json, io);
  const { changed = 0 } = answer.body;
  if (options.json) io.out(JSON.stringify({ id, op: order.op, changed }));
  else io.out(`Done: ${order.op} (${id}). maso pace status shows what holds now.`);
  return 0;
}

/** Signs an order as the operator whom the options name. */
export async function signOrder(
  order: PaceOrder,
  options: RevocationOptions,
  stateDirectory: string,
): Promise<{ readonly id: string; readonly signed: string }> {
  const clock = systemClock();
  const id = mintUlid(clock, systemRandom);
  const key = await keyOfOperator(stateDirectory, options.key);
  const { as: operator, reason } = options;
  return { id, signed: signPaceOrder({ id, order, operator, at: clock.nowMs(), reason }, key) };
}

function saySuspended(id: string, options: UnitOptions, tookMs: number, io: CommandIo): number {
  if (options.json) io.out(JSON.stringify({ id, unit: options.unit, state: 'suspended', tookMs }));
  else {
    io.out(`Stopped ${options.unit}: nothing of it acts any more.`);
    io.out(`It is final when a second operator says maso pace confirm ${id}, or nobody does in time.`);
  }
  return 0;
}

function sayStopped(
  state: 'killed' | 'halted',
  id: string,
  options: UnitOptions,
  report: JsonObject | null,
  tookMs: number,
  io: CommandIo,
): number {
  if (options.json) {
    io.out(JSON.stringify({ id, unit: options.unit, state, tookMs, report }));
    return 0;
  }
  io.out(`${options.unit} is ${state} (${id}, ${tookMs} ms).`);
  if (report === null) {
    io.out('  The report is not there yet: maso pace status --json shows it.');
    return 0;
  }
  io.out(`  ${text(report['confirmed'])} of ${text(report['connected'])} connected sidecars confirmed.`);
  for (const [label, member] of [['aborted', 'aborted'], ['may still finish', 'mayGoOn']] as const) {
    for (const call of objectsOf(report[member])) {
      io.out(`  ${label}: ${text(call['agent'])} ${text(call['tool'])}.${text(call['operation'])} (${text(call['call'])})`);
    }
  }
  const done = isJsonObject(report['done']) ? report['done'] : {};
  for (const [label, member] of [
    ['can be undone', 'reversible'], ['can be made good', 'compensable'], ['cannot be undone', 'irreversible'],
  ] as const) {
    for (const one of objectsOf(done[member])) {
      io.out(`  ${label}: ${text(one['action'])} by ${text(one['executor'])} for ${text(one['requester'])} (${text(one['request'])})`);
    }
  }
  const rollback = isJsonObject(report['rollback']) ? report['rollback'] : null;
  if (rollback !== null) {
    io.out(`  being undone: ${text(rollback['started'])}, left to people: ${text(rollback['leftToPeople'])} (maso pace rollback)`);
  }
  if (done['recalled'] === false) io.out('  The log could not be read: what was done before this run of the node is not among it.');
  const silent = Array.isArray(report['silent']) ? report['silent'].map(text) : [];
  if (silent.length > 0) io.out(`  not heard of, their leases end within ${leaseMsDefault / 1000} s: ${silent.join(', ')}`);
  return 0;
}

async function reportOf(id: string, stateDirectory: string): Promise<JsonObject | null> {
  for (let waitedMs = 0; waitedMs < accountsWaitMs; waitedMs += lookEveryMs) {
    const shown = await fetchPace(stateDirectory);
    const report = objectsOf(shown['reports']).find((one) => one['stop'] === id);
    if (report !== undefined) return report;
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  return null;
}

/** What the node says of PACE. */
export async function fetchPace(stateDirectory: string): Promise<JsonObject> {
  return (await askNode(stateDirectory, 'GET', '/v1/pace')).body;
}

function within<Value>(asked: Promise<Value | null>, timeoutMs: number): Promise<Value | null> {
  return Promise.race([
    asked,
    new Promise<null>((resolve) => setTimeout(() => resolve(null), timeoutMs).unref()),
  ]);
}

function unitText({ kind, value }: PaceUnit): string {
  return `${kind}:${value}`;
}

function objectsOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function timeOf(value: JsonValue | undefined): string {
  return typeof value === 'number' ? new Date(value).toISOString() : text(value);
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
