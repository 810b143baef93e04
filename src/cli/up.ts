// SPDX-License-Identifier: Apache-2.0
import { chmod } from 'node:fs/promises';
import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { makeFolders } from '../adapters/folders.ts';
import { readMesh } from '../adapters/mesh-files.ts';
import { stampOf } from '../adapters/process-stamp.ts';
import { claimUids, uidsOfHost, type UidRange } from '../adapters/uid-ranges.ts';
import { formatDiagnostic } from '../mesh/diagnostic.ts';
import { deselectionLine } from '../mesh/deselection.ts';
import type { ChildHost } from '../control/child.ts';
import type { Agent, Mesh } from '../mesh/mesh.ts';
import { isResident } from '../mesh/spawn.ts';
import { socketPathBytesMax, sidecarDirectories } from '../process/directories.ts';
import { placeOf } from '../adapters/exporter-factory.ts';
import { ChildEnvironment } from '../process/child-environment.ts';
import { ExportersChild } from '../process/exporters-child.ts';
import { oneHelperThread } from '../process/heap.ts';
import type { RunningNode } from '../process/node.ts';
import { SidecarProcesses, type AgentUsers } from '../process/sidecar-processes.ts';
import { SidecarSupervisor } from '../process/supervisor.ts';
import { startWitnessBeside } from '../process/witness-beside.ts';
import type { CommandIo } from './check.ts';
import { settleProcess } from './settle-process.ts';
import { stateDirectoryOf } from './state.ts';
import { untilStopped } from './stopping.ts';

type UpOptions = {
  readonly file: string;
  readonly state: string;
  readonly host: string;
  readonly port: string;
  readonly svid?: string;
  readonly kms?: string;
  readonly uids?: string;
  readonly sidecars: boolean;
  readonly witness: boolean;
  readonly console: boolean;
  readonly consolePort: string;
  readonly json: boolean;
};

/** Who has which users on this host; for root alone. */
const hostDirectory = '/run/maso';

/** `maso up FILE`: runs until it is told to stop. Exit 1 when the mesh file has errors. */
export async function up(options: UpOptions, io: CommandIo): Promise<number> {
  settleProcess(io);
  const startedMs = performance.now();
  const file = resolve(options.file);
  const loaded = readMesh(file);
  for (const item of loaded.diagnostics) io.err(formatDiagnostic(item));
  if (!loaded.ok) return 1;
  const stateDirectory = stateDirectoryOf(options.state, file);
  await prepare(stateDirectory, loaded.mesh);
  // What this process was started with comes later, and wins.
  const program = [process.execPath, oneHelperThread, ...process.execArgv, process.argv[1] ?? ''];
  const log = (line: string) => io.err(line);
  const common = { program, stateDirectory, environment: new ChildEnvironment(loaded.mesh), log };
  const beside = options.witness ? await startWitnessBeside(common) : null;
  const processes = new SidecarProcesses({ ...common, meshFile: file });
  if (options.sidecars) processes.prepare(hereOf(loaded.mesh));
  const node = await orUndone(async () => {
    // Loaded while the sidecars load theirs: together they are most of a start.
    const { startNode } = await import('../process/node.ts');
    const witnesses = beside === null ? [] : [{ url: beside.url, key: beside.key }];
    return startNode({ ...nodeOptions(options, loaded.mesh, stateDirectory), log, witnesses });
  }, async () => {
    processes.endPrepared();
    await beside?.stop();
  });
  const mesh = node.mesh(); // The version in force, which need not be the one on disk.
  common.environment.follow(() => node.mesh());
  for (const line of warnings(mesh, options.witness)) io.err(`warning: ${line}`);
  let users: ReadonlyMap<string, AgentUsers> = new Map();
  const supervisor = new SidecarSupervisor({
    node,
    processes,
    stateDirectory,
    usersOf: (agent) => users.get(agent.name) ?? null,
    childEnded: (name) => node.childEnded(name),
    log,
  });
  const exportersChild = new ExportersChild({ ...common, meshFile: file });
  try {
    users = separateUsers(mesh, stateDirectory, uidsAllowed(options.uids), io);
    exportersChild.startWhen(() => exportersOf(node.mesh()).length > 0);
    if (options.sidecars) {
      await supervisor.endSpawned(mesh);
      node.hostChildren(hostOf(mesh, supervisor));
      await Promise.all(hereOf(mesh).map((agent) => supervisor.start(agent)));
      processes.endPrepared();
    }
    report(options, io, {
      console: await openConsole(options, node, io),
      readyMs: Math.round(performance.now() - startedMs),
      bus: `wss://${options.host}:${node.busPort}/bus`,
      enrolment: `https://${node.enrolmentAddress}`,
      control: node.controlSocket,
      state: stateDirectory,
      localOperator: node.localOperator,
      witness: beside === null ? null : { url: beside.url, key: beside.key },
      sidecars: supervisor.sidecars(),
      exporters: exportersOf(mesh),
    });
    await untilStopped();
  } finally {
    processes.endPrepared();
    await exportersChild.stop();
    await supervisor.stopAll();
    await node.close();
    await beside?.stop();
    // The channel to whoever started this process would keep it alive.
    if (process.connected) process.disconnect();
  }
  return 0;
}

/**
 * What was begun for `work` ends where that fails, however it does: processes that nobody ends keep this one
 * alive. What is told is why it failed.
 */
export async function orUndone<Value>(work: () => Promise<Value>, undo: () => Promise<void>): Promise<Value> {
  try {
    return await work();
  } catch (failure) {
    // The first failure is the one that is told: it may well be why this fails, too.
    await undo().catch(() => undefined);
    throw failure;
  }
}

function nodeOptions(options: UpOptions, mesh: Mesh, stateDirectory: string) {
  return {
    mesh,
    stateDirectory,
    host: options.host,
    port: Number(options.port),
    svidDirectory: resolved(options.svid),
    kmsFile: resolved(options.kms),
  };
}

/** Agents whose sidecars this host runs as long as the mesh does. */
function hereOf(mesh: Mesh): readonly Agent[] {
  return [...mesh.agents.values()].filter((agent) => agent.isolation !== 'container' && isResident(agent));
}

async function openConsole(
  options: UpOptions,
  node: RunningNode,
  io: CommandIo,
): Promise<Ready['console']> {
  if (!options.console) return null;
  const opened = await node.openConsole(Number(options.consolePort));
  if (opened === null) io.err('warning: the console is not built here; run npm run build:console once.');
  return opened;
}

/** Spawned agents by name; the control plane knows none that the mesh file has no place for. */
function hostOf(mesh: Mesh, supervisor: SidecarSupervisor): ChildHost {
  const agentOf = (name: string): Agent => {
    const agent = mesh.agents.get(name);
    if (agent === undefined) throw new Error(`The mesh file has no place for ${name}.`);
    return agent;
  };
  return {
    start: (name) => supervisor.startChild(agentOf(name)),
    stop: (name) => supervisor.stopChild(agentOf(name)),
  };
}

type Ready = {
  readonly console: { readonly url: string; readonly firstLink: string | null } | null;
  readonly readyMs: number;
  readonly bus: string;
  readonly enrolment: string;
  readonly control: string;
  readonly state: string;
  readonly localOperator: string | null;
  readonly witness: { readonly url: string; readonly key: string } | null;
  readonly sidecars: ReturnType<SidecarSupervisor['sidecars']>;
  readonly exporters: ReturnType<typeof exportersOf>;
};

function report(options: UpOptions, io: CommandIo, ready: Ready): void {
  process.send?.({ kind: 'ready', ...ready });
  if (options.json) {
    io.out(JSON.stringify(ready));
    return;
  }
  io.out(`mesh ready in ${ready.readyMs} ms`);
  io.out(`  bus       ${ready.bus}`);
  io.out(`  enrolment ${ready.enrolment}`);
  io.out(`  control   ${ready.control}`);
  if (ready.console !== null) io.out(`  console   ${ready.console.url}`);
  if (ready.console?.firstLink) io.out(`  sign in   ${ready.console.firstLink} (once, within the hour)`);
  io.out(`  state     ${ready.state}`);
  if (ready.localOperator !== null) {
    io.out(`  operator  ${ready.localOperator} (made here, because the mesh file names none)`);
  }
  if (ready.witness !== null) io.out(`  witness   ${ready.witness.url} ${ready.witness.key}`);
  for (const sidecar of ready.sidecars) {
    io.out(`  agent     ${sidecar.agent}: ${sidecar.address} (isolation: ${sidecar.isolation})`);
  }
  for (const { name, kind, place } of ready.exporters) {
    io.out(`  exporter  ${name}: ${kind} ${place}`);
  }
}

function exportersOf(mesh: Mesh) {
  return [...(mesh.exporters?.values() ?? [])].map((manifest) => ({
    name: manifest.name,
    kind: manifest.kind,
    place: placeOf(manifest),
  }));
}

/** The state directory is passable: agents reach their socket in it, and tools their own files. */
async function prepare(stateDirectory: string, mesh: Mesh): Promise<void> {
  for (const place of ['run', 'tools']) {
    makeFolders(join(stateDirectory, place), 0o711);
    await chmod(join(stateDirectory, place), 0o711);
  }
  await chmod(stateDirectory, 0o711);
  for (const agent of mesh.agents.keys()) {
    const { socket } = sidecarDirectories(stateDirectory, agent);
    if (Buffer.byteLength(socket) > socketPathBytesMax) {
      throw new Error(`The path of the state directory is too long for a socket: ${socket}`);
    }
  }
}

function warnings(mesh: Mesh, witnessed: boolean): readonly string[] {
  const lines: string[] = [];
  if (mesh.mode === 'observe') {
    lines.push('mode: observe. Content controls record what they would refuse and let it pass.');
  }
  if (mesh.firewall.model === 'none') {
    lines.push('no injection model is configured; the semantic firewall says so in every verdict.');
  }
  if ((mesh.judge?.subjects.length ?? 0) === 0) {
    lines.push('no judge is configured; escalations of HIGH and CRITICAL actions wait for people.');
  }
  if ((mesh.oversight?.webhooks.length ?? 0) === 0) {
    lines.push('no approver is configured; nobody is told what waits: see maso approvals list.');
  }
  if (!witnessed && (mesh.recorder?.witnesses.length ?? 0) === 0) {
    lines.push('no witness cosigns the record; who can write the state directory can rewrite it.');
  }
  lines.push(...mesh.deselected.map(deselectionLine));
  return lines;
}

/**
 * A user per agent and one for its tools, where this process is root and others can pass every folder
 * down to the mesh file and to this program's interpreter; else all run as this user, and their
 * isolation is `none`. The same mesh gets the same users again while nobody else has them: agents
 * first, in the order of the mesh file, then their tools.
 */
function separateUsers(
  mesh: Mesh,
  stateDirectory: string,
  within: UidRange,
  io: CommandIo,
): ReadonlyMap<string, AgentUsers> {
  const none = (why: string): ReadonlyMap<string, AgentUsers> => {
    io.err(`warning: isolation: none. ${why}`);
    return new Map();
  };
  if (process.getuid?.() !== 0) {
    return none('Not started as root, so agents run as the same user as their sidecars.');
  }
  const closed = closedFolder(mesh.directory) ?? closedFolder(dirname(process.execPath));
  if (closed !== null) {
    return none(`Other users cannot pass ${closed}, so agents and tools run as root.`);
  }
  const holder = stampOf(process.pid);
  const names = [...mesh.agents.keys()];
  const claim = { stateDirectory, count: names.length * 2, within };
  const range = holder === null ? null : claimUids(hostDirectory, { ...claim, holder });
  if (range === null) return none('No free users for agents on this host; name some with --uids.');
  return new Map(names.map((name, index): [string, AgentUsers] => {
    const agent = range.first + index;
    return [name, { agent, tools: agent + names.length }];
  }));
}

/** The first folder on the way up that others cannot pass; null when they can pass all. */
function closedFolder(path: string): string | null {
  for (let directory = path; ; directory = dirname(directory)) {
    if ((statSync(directory).mode & 0o001) === 0) return directory;
    if (dirname(directory) === directory) return null;
  }
}

/** `FIRST-LAST`; a range that holds root or is none is refused. */
function uidsAllowed(text: string | undefined): UidRange {
  if (text === undefined) return uidsOfHost;
  const [, first = '', last = ''] = /^([0-9]{1,10})-([0-9]{1,10})$/.exec(text) ?? [];
  const range = { first: Number(first), count: Number(last) - Number(first) + 1 };
  if (range.first >= 1 && range.count >= 1) return range;
  throw new Error('--uids wants FIRST-LAST, two numbers from 1 up.');
}

function resolved(path: string | undefined): string | null {
  return path === undefined ? null : resolve(path);
}
