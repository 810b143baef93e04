// SPDX-License-Identifier: Apache-2.0
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** What `maso up` tells the process that started it. */
export type Ready = {
  readonly readyMs: number;
  readonly bus: string;
  readonly state: string;
  /** Null where the pages of the console were not built. */
  readonly console: { readonly url: string; readonly firstLink: string | null } | null;
  readonly sidecars: readonly {
    readonly agent: string;
    readonly address: string;
    readonly isolation: string;
    readonly tokenFile: string | null;
  }[];
};

export type RunningMesh = {
  readonly ready: Ready;
  /** What the mesh, its sidecars and its agents say while they run. */
  readonly logFile: string;
  /** Resolves when every process of the mesh has ended. */
  readonly stop: () => Promise<void>;
};

const maso = join(import.meta.dirname, '../../../src/cli/maso.ts');
export const exampleDirectory = join(import.meta.dirname, '..');
export const meshFile = join(exampleDirectory, 'security_mesh.yaml');

/** The agents of the mesh file are started as `node`; it is to be the one that runs this. */
const environment: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`,
};

/** Starts a mesh as anybody would, with `maso up`. It ends when this process does. */
export async function startMesh(
  state: string,
  logFile: string,
  file: string = meshFile,
): Promise<RunningMesh> {
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(process.execPath, [maso, 'up', file, '--state', state], {
    stdio: ['ignore', 'ignore', log, 'ipc'],
    env: environment,
  });
  closeSync(log);
  const stop = (): Promise<void> => stopChild(child);
  try {
    return { ready: await readyOf(child), logFile, stop };
  } catch (cause) {
    await stop();
    throw new Error(`The mesh did not start:\n${lastLines(logFile)}`, { cause });
  }
}

/** What `maso up` warned of when it started. */
export function warningsOf({ logFile }: RunningMesh): readonly string[] {
  const lines = readFileSync(logFile, 'utf8').split('\n');
  return lines
    .filter((line) => /(^| )warning\b/.test(line))
    .map((line) => line.replace(`${exampleDirectory}/`, ''));
}

/** Runs one `maso` command on the mesh and returns the JSON that it prints. */
export async function masoJson(args: readonly string[]): Promise<unknown> {
  const run = promisify(execFile);
  const options = { env: environment, maxBuffer: 16 * 1024 * 1024, timeout: 30_000 };
  const { stdout } = await run(process.execPath, [maso, ...args, '--json'], options);
  return JSON.parse(stdout);
}

function readyOf(child: ChildProcess): Promise<Ready> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status) => reject(new Error(`maso up ended with status ${status}.`)));
    child.on('message', (message: unknown) => {
      if (isReady(message)) resolve(message);
    });
  });
}

function isReady(message: unknown): message is Ready {
  return typeof message === 'object' && message !== null && 'sidecars' in message;
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(timer);
}

function lastLines(logFile: string): string {
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-20).join('\n');
}
