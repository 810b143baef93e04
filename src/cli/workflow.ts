// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '../adapters/clock-system.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { signPolicy } from '../identity/policy-statement.ts';
import { signWorkflowDenial } from '../identity/workflow-statement.ts';
import { changeLine, changesBetween } from '../mesh/change.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { changeWorkflow, nameOf, readWorkflowChange, type WorkflowChange } from '../mesh/workflow-change.ts';
import { mintUlid } from '../message/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';
import type { CommandIo } from './check.ts';
import { askNode, keyOfOperator, sayRefused } from './control.ts';
import { runningPolicy } from './reload.ts';
import { stateDirectoryOf } from './state.ts';

type ListOptions = { readonly state: string; readonly json: boolean };
type ShowOptions = ListOptions & { readonly id: string };
type SignOptions = ShowOptions & {
  readonly as: string;
  readonly key?: string;
  readonly reason: string;
};

/** `maso workflow list`: edges that workflows may open and close, who may, and what was proposed. */
export async function workflowList(options: ListOptions, io: CommandIo): Promise<number> {
  const { body } = await askNode(stateDirectoryOf(options.state, null), 'GET', '/v1/workflows');
  if (options.json) {
    io.out(JSON.stringify(body));
    return 0;
  }
  const workflows = listOf(body['workflows']);
  if (workflows.length === 0) io.out('No edge of the mesh file may be changed by a workflow.');
  for (const { workflow, agents, edges } of workflows) {
    const names = Array.isArray(agents) && agents.length > 0 ? agents.join(', ') : 'nobody';
    io.out(`${String(workflow)}: may be changed by ${names}`);
    for (const edge of listOf(edges)) {
      io.out(`  ${edge['open'] === true ? 'open  ' : 'closed'}  ${edgeText(edge)}`);
    }
  }
  for (const change of listOf(body['changes'])) io.out(changeText(change));
  return 0;
}

/** `maso workflow show ID`: a proposed change, and what it would change in the mesh in force. */
export async function workflowShow(options: ShowOptions, io: CommandIo): Promise<number> {
  const stateDirectory = stateDirectoryOf(options.state, null);
  const proposed = await proposedBy(options.id, stateDirectory);
  if (proposed === null) return sayRefused('CONTROL_WORKFLOW_UNKNOWN', options.json, io);
  if (options.json) io.out(JSON.stringify(proposed.shown));
  else for (const line of linesOf(proposed, (await runningPolicy(stateDirectory)).mesh)) io.out(line);
  return 0;
}

/**
 * `maso workflow approve ID`: makes the version that the change leads to out of the mesh in force,
 * here, shows what it changes, and signs that version. A node that shows one change and means another
 * gets a signature that fits nothing.
 */
export async function workflowApprove(options: SignOptions, io: CommandIo): Promise<number> {
  const { json } = options;
  const stateDirectory = stateDirectoryOf(options.state, null);
  const proposed = await proposedBy(options.id, stateDirectory);
  if (proposed === null) return sayRefused('CONTROL_WORKFLOW_UNKNOWN', json, io);
  const { id, shown, change } = proposed;
  if (shown['state'] !== 'held') {
    return sayRefused(typeof shown['code'] === 'string' ? shown['code'] : 'CONTROL_WORKFLOW_OVER', json, io);
  }
  const running = await runningPolicy(stateDirectory);
  const changed = changeWorkflow(running.mesh, change);
  if (!changed.ok) return sayRefused(changed.code, json, io);
  if (!json) for (const line of linesOf(proposed, running.mesh)) io.out(line);
  const clock = systemClock();
  const signed = signPolicy({
    id: mintUlid(clock, systemRandom),
    version: running.next,
    digest: changed.mesh.digest,
    previous: running.digest,
    effective: 'now',
    operator: options.as,
    at: clock.nowMs(),
    reason: options.reason,
  }, await keyOfOperator(stateDirectory, options.key));
  const answer = await askNode(stateDirectory, 'POST', `/v1/workflows/changes/${id}/release`, { signed });
  const { version, code } = answer.body;
  if (answer.status !== 200) {
    return sayRefused(typeof code === 'string' ? code : 'CONTROL_POLICY_UNAVAILABLE', json, io);
  }
  io.out(json ? JSON.stringify({ change: id, version: version ?? null })
    : `Version ${String(version)} is in force. The mesh file on disk is as it was: change it there, too, ` +
      'before the next maso reload.');
  return 0;
}

/** `maso workflow deny ID`: a signed no. */
export async function workflowDeny(options: SignOptions, io: CommandIo): Promise<number> {
  const stateDirectory = stateDirectoryOf(options.state, null);
  const proposed = await proposedBy(options.id, stateDirectory);
  if (proposed === null) return sayRefused('CONTROL_WORKFLOW_UNKNOWN', options.json, io);
  const clock = systemClock();
  const signed = signWorkflowDenial({
    id: mintUlid(clock, systemRandom),
    change: proposed.id,
    operator: options.as,
    at: clock.nowMs(),
    reason: options.reason,
  }, await keyOfOperator(stateDirectory, options.key));
  const answer = await askNode(stateDirectory, 'POST', '/v1/workflows/denials', { signed });
  const { code } = answer.body;
  if (answer.status !== 200) {
    return sayRefused(typeof code === 'string' ? code : 'IDENTITY_WORKFLOW_MALFORMED', options.json, io);
  }
  io.out(options.json ? JSON.stringify({ change: proposed.id, code: null }) : `Denied ${proposed.id}.`);
  return 0;
}

type Proposed = { readonly id: string; readonly shown: JsonObject; readonly change: WorkflowChange };

/** By its id or the first characters of it; null unless they name exactly one. */
async function proposedBy(id: string, stateDirectory: string): Promise<Proposed | null> {
  const { body } = await askNode(stateDirectory, 'GET', '/v1/workflows');
  const [shown, ...more] = listOf(body['changes']).filter((one) => String(one['id']).startsWith(id));
  if (shown === undefined || more.length > 0) return null;
  const { workflow, open, close } = shown;
  const change = readWorkflowChange({ workflow: workflow ?? null, open: open ?? null, close: close ?? null });
  return change === null ? null : { id: String(shown['id']), shown, change };
}

function linesOf({ shown, change }: Proposed, mesh: Mesh): readonly string[] {
  const changed = changeWorkflow(mesh, change);
  const effects = changed.ok
    ? changesBetween(mesh, changed.mesh).filter(({ what }) => what === 'edge')
      .map((one) => `    ${changeLine(one)}`)
    : [`    cannot be made now: ${changed.code}`];
  return [
    changeText(shown),
    ...change.open.map((edge) => `    opens   ${nameOf(edge)}`),
    ...change.close.map((edge) => `    closes  ${nameOf(edge)}`),
    ...(shown['state'] === 'held' ? effects : []),
  ];
}

function changeText(change: JsonObject): string {
  const { id, state, agent, workflow, task, code, version, proposedAt } = change;
  const end = version === null || version === undefined ? '' : `, version ${String(version)}`;
  const why = typeof code === 'string' ? ` (${code})` : '';
  const at = typeof proposedAt === 'number' ? new Date(proposedAt).toISOString() : '';
  return `${String(id)}  ${String(state)}${why}${end}  ${String(workflow)}, by ${String(agent)} in task ` +
    `${String(task)}, ${at}`;
}

function edgeText(edge: JsonObject): string {
  return nameOf({ from: String(edge['from']), to: String(edge['to']), domain: String(edge['domain']) });
}

function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((one): one is JsonObject => isJsonObject(one)) : [];
}
