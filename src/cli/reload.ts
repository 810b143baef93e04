// SPDX-License-Identifier: Apache-2.0
import { relative, resolve } from 'node:path';
import { systemClock } from '../adapters/clock-system.ts';
import { readMesh } from '../adapters/mesh-files.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { ControlError } from '../control/control-error.ts';
import { signPolicy } from '../identity/policy-statement.ts';
import { loadBundle, readBundle } from '../mesh/bundle.ts';
import { changeLine, changesBetween, type MeshChange } from '../mesh/change.ts';
import { combineEffects } from '../mesh/change-effect.ts';
import { formatDiagnostic, type Diagnostic } from '../mesh/diagnostic.ts';
import type { Mesh, MeshBundle } from '../mesh/mesh.ts';
import { mintUlid } from '../message/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';
import { policyDiagnostics, type CommandIo } from './check.ts';
import { askNode, keyOfOperator, sayRefused } from './control.ts';
import { stateDirectoryOf } from './state.ts';

export type ReloadOptions = {
  readonly file: string;
  readonly state: string;
  readonly as: string;
  readonly key?: string;
  readonly reason: string;
  /** Say what would change, and change nothing. */
  readonly dryRun: boolean;
  /** Sign it for the next start: for what running processes hold to. */
  readonly atRestart: boolean;
  readonly json: boolean;
};

type Running = {
  readonly version: number;
  readonly next: number;
  readonly digest: string;
  readonly signed: boolean;
  readonly mesh: Mesh;
};

/** How long the command looks on while connected sidecars switch. */
const switchWaitMs = 5_000;
const lookEveryMs = 50;

/**
 * `maso reload FILE`: checks a mesh file as `maso check` does, says what it changes, signs it as an
 * operator, and puts it in force on node and sidecars. Exit 1: nothing of it is in force.
 */
export async function reload(options: ReloadOptions, io: CommandIo): Promise<number> {
  const stateDirectory = stateDirectoryOf(options.state, resolve(io.directory, options.file));
  const bundle = await checkedBundle(options, io);
  if (bundle === null) return 1;
  const running = await runningPolicy(stateDirectory);
  const loaded = loadBundle(bundle, running.mesh.directory);
  if (!loaded.ok) return sayRefused('MESH_POLICY_REFUSED', options.json, io);
  const changes = changesBetween(running.mesh, loaded.mesh);
  sayChanges(running, changes, options, io);
  if (options.dryRun) return 0;
  if (!options.atRestart && changes.some((change) => change.needsRestart)) {
    return sayRefused('MESH_POLICY_NEEDS_RESTART', options.json, io);
  }
  if (loaded.mesh.digest === running.digest && running.signed) {
    return done({ version: running.version, changed: false, changes }, 'Nothing changed.', options, io);
  }
  const signed = await sign(running, loaded.mesh.digest, stateDirectory, options);
  const request = { signed, bundle: { file: bundle.file, texts: { ...bundle.texts } } };
  const answer = await askNode(stateDirectory, 'POST', '/v1/policies', request);
  const { version, effective } = answer.body;
  if (answer.status !== 200 || typeof version !== 'number') {
    const code = answer.body['code'];
    return sayRefused(typeof code === 'string' ? code : 'CONTROL_POLICY_UNAVAILABLE', options.json, io);
  }
  const agents = effective === 'now' ? await switched(version, stateDirectory) : [];
  const report = { version, changed: true, effective: effective ?? null, changes, agents };
  return done(report, sentence(version, effective, agents), options, io);
}

/** Null after every error was said with its place; what has an error is not sent anywhere. */
async function checkedBundle(
  { file, json }: ReloadOptions,
  io: CommandIo,
): Promise<MeshBundle | null> {
  const loaded = readMesh(resolve(io.directory, file));
  const diagnostics = [...loaded.diagnostics, ...(await policyDiagnostics(loaded))]
    .map((item): Diagnostic => ({ ...item, file: relative(io.directory, item.file) || item.file }));
  const errors = diagnostics.filter((item) => item.severity === 'error');
  if (loaded.ok && errors.length === 0) return loaded.mesh.bundle ?? null;
  if (json) io.out(JSON.stringify({ code: 'MESH_POLICY_REFUSED', diagnostics: errors }));
  else {
    for (const item of errors) io.err(formatDiagnostic(item));
    sayRefused('MESH_POLICY_REFUSED', false, io);
  }
  return null;
}

/** What the node runs on, loaded here from the texts that it shows. */
export async function runningPolicy(stateDirectory: string): Promise<Running> {
  const { body } = await askNode(stateDirectory, 'GET', '/v1/policy');
  const { version, next, digest, signed, directory } = body;
  const bundle = readBundle(body['bundle']);
  const isSound = typeof version === 'number' && typeof next === 'number' &&
    typeof digest === 'string' && typeof directory === 'string';
  const loaded = isSound && bundle !== null ? loadBundle(bundle, directory) : null;
  if (!isSound || loaded?.ok !== true) {
    throw new ControlError('CONTROL_POLICY_UNREADABLE', 'The node shows no policy that can be read.');
  }
  return { version, next, digest, signed: typeof signed === 'string', mesh: loaded.mesh };
}

function sayChanges(
  running: Running,
  changes: readonly MeshChange[],
  options: ReloadOptions,
  io: CommandIo,
): void {
  if (options.json && !options.dryRun) return;
  const effect = combineEffects(changes.map((change) => change.effect));
  if (options.json) {
    io.out(JSON.stringify({ version: running.version, changed: changes.length > 0, effect, changes }));
    return;
  }
  io.out(`version ${running.version} is in force${running.signed ? '' : ', signed by nobody'}`);
  for (const change of changes) io.out(`  ${changeLine(change)}`);
  io.out(`${changes.length} change${changes.length === 1 ? '' : 's'}: ${effectWords[effect]}`);
}

const effectWords = {
  none: 'what is allowed stays as it is',
  widens: 'more is allowed than before',
  narrows: 'less is allowed than before',
  both: 'some more is allowed, and some less',
  unclear: 'whether more or less is allowed cannot be told without running it',
} as const;

async function sign(
  running: Running,
  digest: string,
  stateDirectory: string,
  options: ReloadOptions,
): Promise<string> {
  const clock = systemClock();
  const statement = {
    id: mintUlid(clock, systemRandom),
    version: running.next,
    digest,
    previous: running.digest,
    effective: options.atRestart ? 'restart' : 'now',
    operator: options.as,
    at: clock.nowMs(),
    reason: options.reason,
  } as const;
  return signPolicy(statement, await keyOfOperator(stateDirectory, options.key));
}

type AgentVersion = { readonly agent: string; readonly version: number | null };

/** Waits until every connected sidecar has switched, or has had its time. */
async function switched(version: number, stateDirectory: string): Promise<readonly AgentVersion[]> {
  const deadlineMs = performance.now() + switchWaitMs;
  for (;;) {
    const { body } = await askNode(stateDirectory, 'GET', '/v1/policy');
    const agents = agentsOf(body['agents']);
    const behind = agents.some((one) => one.version !== null && one.version < version);
    if (!behind || performance.now() > deadlineMs) return agents;
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}

function agentsOf(value: JsonValue | undefined): readonly AgentVersion[] {
  if (!Array.isArray(value)) return [];
  return value.filter((one): one is JsonObject => isJsonObject(one)).map(({ agent, version }) => ({
    agent: typeof agent === 'string' ? agent : '',
    version: typeof version === 'number' ? version : null,
  }));
}

function sentence(
  version: number,
  effective: JsonValue | undefined,
  agents: readonly AgentVersion[],
): string {
  if (effective !== 'now') return `Version ${version} is signed, and in force from the next start.`;
  const away = agents.filter((one) => one.version === null).map(({ agent }) => agent);
  const behind = agents.filter((one) => one.version !== null && one.version < version);
  const lines = [`Version ${version} is in force on the node and on ` +
    `${agents.length - away.length - behind.length} of ${agents.length} sidecars.`];
  if (away.length > 0) lines.push(`Not connected, and switched when they are back: ${away.join(', ')}.`);
  if (behind.length > 0) {
    lines.push(`Shut out until they take it: ${behind.map(({ agent }) => agent).join(', ')}.`);
  }
  return lines.join('\n');
}

function done(report: object, text: string, options: ReloadOptions, io: CommandIo): number {
  io.out(options.json ? JSON.stringify(report) : text);
  return 0;
}
