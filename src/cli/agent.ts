// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '../adapters/clock-system.ts';
import { systemRandom } from '../adapters/random-system.ts';
import type { RevocationTarget } from '../identity/revocation.ts';
import { signRevocation } from '../identity/revocation-statement.ts';
import { signSpawn } from '../identity/spawn-statement.ts';
import { isDigest, mintUlid } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { CommandIo } from './check.ts';
import { askNode, keyOfOperator, sayRefused } from './control.ts';
import { stateDirectoryOf } from './state.ts';

type ShowOptions = { readonly state: string; readonly json: boolean };

type SpawnOptions = RevocationOptions & {
  readonly template: string;
  readonly parent: string;
  readonly task?: string;
  readonly lifetimeMs?: string;
};

/** What every command takes that an operator signs. */
export type RevocationOptions = ShowOptions & {
  readonly as: string;
  readonly key?: string;
  readonly reason: string;
};

/** `maso agent list`: every agent with the instance that is connected now. */
export async function agentList(options: ShowOptions, io: CommandIo): Promise<number> {
  const answer = await askNode(stateDirectoryOf(options.state, null), 'GET', '/v1/agents');
  const agents = objectsOf(answer.body['agents']);
  if (options.json) {
    io.out(JSON.stringify({ agents }));
    return 0;
  }
  const nowMs = systemClock().nowMs();
  for (const agent of agents) {
    const state = agent['revoked'] === true ? 'REVOKED' : connectionOf(agent, nowMs);
    io.out(`${text(agent['name']).padEnd(20)} ${text(agent['role']).padEnd(12)} ${state}`);
    if (agent['spiffeId'] === null) continue;
    io.out(`  ${text(agent['spiffeId'])}`);
    io.out(`  isolation ${text(agent['isolation'])}, SVID ends ${timeLeft(agent['expiresAt'], nowMs)}`);
    for (const line of lineageLines(agent, nowMs)) io.out(`  ${line}`);
  }
  return 0;
}

/** `maso agent show NAME`: the certificates of its instances, and what is revoked of them. */
export async function agentShow(
  options: ShowOptions & { readonly name: string },
  io: CommandIo,
): Promise<number> {
  const agent = await agentOf(options.name, stateDirectoryOf(options.state, null));
  if (agent === null) return sayRefused('CONTROL_AGENT_UNKNOWN', options.json, io);
  if (options.json) {
    io.out(JSON.stringify(agent));
    return 0;
  }
  const nowMs = systemClock().nowMs();
  io.out(`${text(agent['name'])}  ${text(agent['role'])}`);
  io.out(`  sponsor    ${text(agent['sponsor'] ?? 'nobody')}`);
  io.out(`  connected  ${connectionOf(agent, nowMs)}`);
  io.out(`  isolation  ${text(agent['isolation'] ?? 'unknown')}`);
  io.out(`  revoked    ${agent['revoked'] === true ? 'yes, every instance' : 'no'}`);
  for (const line of lineageLines(agent, nowMs)) io.out(`  ${line}`);
  io.out(`  breaker    ${text(agent['breaker'])}`);
  for (const one of objectsOf(agent['bounds'])) {
    const whose = one['scope'] === 'own' ? 'own' : 'with all who work for it';
    const within = seconds(Number(one['windowMs']));
    io.out(`  bound ${text(one['impact'])}, ${whose}: ` +
      `${text(one['used'])} of ${text(one['most'])} in ${within}`);
  }
  for (const one of objectsOf(agent['certificates'])) {
    io.out(`  certificate ${text(one['thumbprint'])}${one['revoked'] === true ? '  REVOKED' : ''}`);
    io.out(`    ${text(one['spiffeId'])}`);
    io.out(`    serial ${text(one['serial'])}, ends ${timeLeft(one['expiresAt'], nowMs)}`);
  }
  for (const one of objectsOf(agent['revocations'])) {
    const target = isJsonObject(one['target']) ? one['target'] : {};
    io.out(`  version ${text(one['version'])}: ${text(one['op'])} ${text(target['value'])}`);
  }
  return 0;
}

/** `maso agent revoke WHAT`: refuses its next action, at once here and within a second elsewhere. */
export async function agentRevoke(
  options: RevocationOptions & { readonly target: string },
  io: CommandIo,
): Promise<number> {
  const target = targetOf(options.target);
  return changeRevocation({ op: 'revoke', target, lifts: null }, options, io);
}

/** `maso agent spawn TEMPLATE --parent NAME`: an agent below another one, by an operator's order. */
export async function agentSpawn(options: SpawnOptions, io: CommandIo): Promise<number> {
  const stateDirectory = stateDirectoryOf(options.state, null);
  const clock = systemClock();
  const { template, parent, task = null, lifetimeMs } = options;
  const statement = {
    template, parent, task,
    lifetimeMs: lifetimeMs === undefined ? null : Number(lifetimeMs),
    id: mintUlid(clock, systemRandom),
    operator: options.as,
    at: clock.nowMs(),
    reason: options.reason,
  };
  const signed = signSpawn(statement, await keyOfOperator(stateDirectory, options.key));
  const answer = await askNode(stateDirectory, 'POST', '/v1/children', { signed });
  if (answer.status !== 200) {
    return sayRefused(text(answer.body['code'] ?? 'IDENTITY_SPAWN_MALFORMED'), options.json, io);
  }
  if (options.json) io.out(JSON.stringify(answer.body));
  else {
    io.out(`Spawned ${text(answer.body['child'])} for the task ${text(answer.body['task'])}.`);
    io.out(`  ${text(answer.body['spiffeId'])}`);
    io.out(`  ends ${timeLeft(answer.body['endsAt'], clock.nowMs())}`);
  }
  return 0;
}

/** `maso agent reinstate NAME`: the agent may join again; revoked instances stay revoked. */
export async function agentReinstate(
  options: RevocationOptions & { readonly name: string },
  io: CommandIo,
): Promise<number> {
  const agent = await agentOf(options.name, stateDirectoryOf(options.state, null));
  if (agent === null) return sayRefused('CONTROL_AGENT_UNKNOWN', options.json, io);
  const target: RevocationTarget = { kind: 'agent', value: options.name };
  const holding = objectsOf(agent['revocations']).findLast(
    (one) => isJsonObject(one['target']) && one['target']['kind'] === 'agent',
  );
  if (holding === undefined || holding['op'] !== 'revoke') {
    return sayRefused('CONTROL_REVOCATION_UNKNOWN', options.json, io);
  }
  return changeRevocation({ op: 'reinstate', target, lifts: text(holding['id']) }, options, io);
}

/** Signs a revocation, or its lifting, and has the node apply it. */
export async function changeRevocation(
  wanted: {
    readonly op: 'revoke' | 'reinstate';
    readonly target: RevocationTarget;
    readonly lifts: string | null;
  },
  options: RevocationOptions,
  io: CommandIo,
): Promise<number> {
  const stateDirectory = stateDirectoryOf(options.state, null);
  const clock = systemClock();
  const statement = {
    ...wanted,
    id: mintUlid(clock, systemRandom),
    operator: options.as,
    at: clock.nowMs(),
    reason: options.reason,
  };
  const signed = signRevocation(statement, await keyOfOperator(stateDirectory, options.key));
  const answer = await askNode(stateDirectory, 'POST', '/v1/revocations', { signed });
  if (answer.status !== 200) {
    const code = answer.body['code'] ?? 'IDENTITY_REVOCATION_MALFORMED';
    return sayRefused(text(code), options.json, io);
  }
  const { version = null } = answer.body;
  const { op, target } = wanted;
  if (options.json) io.out(JSON.stringify({ op, target, id: statement.id, version }));
  else io.out(`${op === 'revoke' ? 'Revoked' : 'Reinstated'} ${target.value} (version ${text(version)}).`);
  return 0;
}

async function agentOf(name: string, stateDirectory: string): Promise<JsonObject | null> {
  const path = `/v1/agents/${encodeURIComponent(name)}`;
  const answer = await askNode(stateDirectory, 'GET', path);
  return answer.status === 200 ? answer.body : null;
}

/** A SPIFFE id is an instance, a thumbprint a certificate, anything else a name. */
function targetOf(text: string): RevocationTarget {
  if (text.startsWith('spiffe://')) return { kind: 'instance', value: text };
  return isDigest(text) ? { kind: 'certificate', value: text } : { kind: 'agent', value: text };
}

/** Where an agent comes from, and what stands below it. */
function lineageLines(agent: JsonObject, nowMs: number): readonly string[] {
  const { lineage, children } = agent;
  const below = Array.isArray(children) ? children.map(text) : [];
  const lines = below.length > 0 ? [`children ${below.join(', ')}`] : [];
  if (!isJsonObject(lineage)) return lines;
  const ancestors = Array.isArray(lineage['ancestors']) ? lineage['ancestors'].map(text) : [];
  lines.unshift(
    `spawned by ${text(lineage['by'])} from ${text(lineage['template'])}, ` +
      `ends ${timeLeft(lineage['endsAt'], nowMs)}`,
    `task ${text(lineage['task'])}, below ${ancestors.toReversed().join(', below ')}`,
  );
  return lines;
}

function connectionOf(agent: JsonObject, nowMs: number): string {
  const { connectedSince } = agent;
  if (typeof connectedSince !== 'number') return 'not connected';
  return `connected for ${seconds(nowMs - connectedSince)}`;
}

function timeLeft(expiresAt: JsonValue | undefined, nowMs: number): string {
  return typeof expiresAt === 'number' ? `in ${seconds(expiresAt - nowMs)}` : 'unknown';
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.round(ms / 1000))} s`;
}

function objectsOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((one) => isJsonObject(one)) : [];
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
