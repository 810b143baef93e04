// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { askControl } from '../../src/adapters/control-http.ts';
import { isJsonObject } from '../../src/message/json.ts';
import type { JsonObject } from '../../src/message/json.ts';
import { logEntries, type Entries } from './log-entries.ts';

export const isRoot = process.getuid?.() === 0;
export const masoProgram = new URL('../../src/cli/maso.ts', import.meta.url).pathname;
const readyTimeoutMs = 60_000;
const stopTimeoutMs = 10_000;

/** A process of the product under test; every one is ended by its own pid. */
export type MasoProcess = {
  readonly pid: number;
  readonly ready: JsonObject;
  /** What it wrote to stderr so far. */
  readonly said: () => string;
  /** `kill -9`; resolves when it is gone. */
  readonly kill: () => Promise<void>;
  /** SIGTERM, then SIGKILL; resolves when it is gone. */
  readonly stop: () => Promise<void>;
  readonly exited: Promise<number | null>;
};

/** Mesh file and everything beside it, in a folder that other users may pass. */
export class MeshFolder {
  readonly directory: string;
  readonly meshFile: string;
  readonly state: string;

  static async create(files: { readonly [name: string]: string }): Promise<MeshFolder> {
    const directory = await mkdtemp(join(tmpdir(), 'maso-'));
    await chmod(directory, 0o755);
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, name)), { recursive: true });
      await writeFile(join(directory, name), text);
    }
    return new MeshFolder(directory);
  }

  private constructor(directory: string) {
    this.directory = directory;
    this.meshFile = join(directory, 'security_mesh.yaml');
    this.state = join(directory, 's');
  }

  entries(): Promise<Entries> {
    return logEntries(join(this.state, 'log'));
  }

  socketOf(agent: string): string {
    return join(this.state, 'run', agent, 'agent.sock');
  }

  tokenOf(agent: string): string {
    return readFileSync(join(this.state, 'run', agent, 'token'), 'utf8').trim();
  }

  hasToken(agent: string): boolean {
    return existsSync(join(this.state, 'run', agent, 'token'));
  }

  control(method: 'GET' | 'POST', path: string, body: JsonObject | null = null) {
    return askControl(join(this.state, 'control', 'node.sock'), method, path, body);
  }

  async joinToken(agent: string): Promise<string> {
    const answer = await this.control('POST', '/v1/join-tokens', { agent });
    return String(answer.body['token']);
  }

  /** The path of a file with a join token, as `maso sidecar --join-token` takes it. */
  async joinTokenFile(agent: string): Promise<string> {
    const file = join(this.directory, `token-${agent}-${performance.now()}`);
    await writeFile(file, await this.joinToken(agent), { mode: 0o600, flag: 'wx' });
    return file;
  }

  remove(): Promise<void> {
    return rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** `maso up`: node and, unless left out, one supervised sidecar per agent. */
export function up(folder: MeshFolder, options: readonly string[] = []): Promise<MasoProcess> {
  return masoReady(['up', folder.meshFile, '--state', folder.state, '--json', ...options]);
}

/** One sidecar that nobody supervises: it outlives the node. */
export function sidecar(
  folder: MeshFolder,
  agent: string,
  options: readonly string[] = [],
): Promise<MasoProcess> {
  const { meshFile, state } = folder;
  return masoReady(['sidecar', meshFile, '--agent', agent, '--state', state, '--json', ...options]);
}

/** Runs a command to its end. */
export async function maso(
  args: readonly string[],
): Promise<{ readonly status: number | null; readonly out: string; readonly err: string }> {
  const child = spawn(
    process.execPath, [masoProgram, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }
  );
  let out = '';
  let err = '';
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (err += text.toString()));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, out, err };
}

/** The supervised sidecar of an agent, found among the children of `maso up` (Linux); null while it has none. */
export function childSidecar(upPid: number, agent: string): number | null {
  const children = readFileSync(`/proc/${upPid}/task/${upPid}/children`, 'utf8').trim().split(' ');
  for (const child of children.filter((text) => text !== '')) {
    const words = wordsOf(child);
    if (words.includes('sidecar') && words[words.indexOf('--agent') + 1] === agent) {
      return Number(child);
    }
  }
  return null;
}

/** Ends the supervised sidecar of an agent, once it has one; gives its process id. */
export async function killSidecar(upPid: number, agent: string): Promise<number> {
  const pid = await until(`a sidecar of ${agent}`, () => childSidecar(upPid, agent));
  process.kill(pid, 'SIGKILL');
  return pid;
}

/** What a process was started with; none for a child that has ended since it was listed. */
function wordsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch (failure) {
    if (['ENOENT', 'ESRCH'].includes((failure as NodeJS.ErrnoException).code ?? '')) return [];
    throw failure;
  }
}

/** Polls until `look` gives something; rejects with what was waited for. */
export async function until<Found>(
  what: string,
  look: () => Found | null | undefined | false | Promise<Found | null | undefined | false>,
  timeoutMs = 15_000,
): Promise<Found> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`Waited in vain: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function masoReady(args: readonly string[]): Promise<MasoProcess> {
  const child = spawn(process.execPath, [masoProgram, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let said = '';
  child.stderr?.on('data', (text: Buffer) => (said += text.toString()));
  child.stdout?.resume();
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const ready = new Promise<JsonObject>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`Not ready in time:\n${said}`)), readyTimeoutMs
    );
    child.on('message', (message: unknown) => {
      if (isJsonObject(message) && message['kind'] === 'ready') resolve(message);
    });
    void exited.then((status) => reject(new Error(`Ended with ${status}:\n${said}`)));
    void exited.finally(() => clearTimeout(timer));
  });
  const kill = async (): Promise<void> => {
    if (isRunning(child)) child.kill('SIGKILL');
    await exited;
  };
  try {
    return {
      ready: await ready,
      pid: child.pid ?? -1,
      said: () => said,
      kill,
      stop: () => stop(child, exited),
      exited,
    };
  } catch (failure) {
    await kill();
    throw failure;
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function stop(child: ChildProcess, exited: Promise<number | null>): Promise<void> {
  if (isRunning(child)) child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await exited;
  clearTimeout(timer);
}
