// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { isJsonObject } from '../message/json.ts';
import type { ChildEnvironment } from './child-environment.ts';
import { nodeDirectories } from './directories.ts';
import { recorderKeyFile } from './node-recorder.ts';

export type WitnessBeside = {
  readonly url: string;
  /** Verifier key of the witness. */
  readonly key: string;
  readonly stop: () => Promise<void>;
};

type Options = {
  /** Arguments that make this program run a command: program, then its arguments. */
  readonly program: readonly string[];
  readonly stateDirectory: string;
  readonly environment: ChildEnvironment;
  readonly log: (line: string) => void;
};

const readyTimeoutMs = 20_000;
const restartDelayMs = 1_000;

/**
 * Runs a witness in a process of its own, with its own key and directory. On the same machine and
 * under the same user it guards against accidents and restored backups, not against the operator.
 * Rejects when it does not get ready.
 */
export async function startWitnessBeside(options: Options): Promise<WitnessBeside> {
  let stopped = false;
  let child: ChildProcess;
  const start = async (port: string) => {
    const { checkpoints, witness } = nodeDirectories(options.stateDirectory);
    const [executable = process.execPath, ...args] = options.program;
    const log = join(checkpoints, recorderKeyFile);
    child = spawn(executable, [...args, 'witness', witness, '--log', log, '--port', port, '--json'], {
      env: options.environment.variables(),
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const ready = await readyOf(child);
    child.once('exit', () => {
      if (stopped) return;
      options.log('witness: ended, starting it again');
      // On its port: the recorder goes on asking there.
      setTimeout(() => {
        if (stopped) return;
        start(new URL(ready.url).port).catch(() => options.log('witness: not started again'));
      }, restartDelayMs).unref();
    });
    return ready;
  };
  const ready = await start('0');
  return {
    ...ready,
    stop: async () => {
      stopped = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = new Promise<void>((done) => child.once('exit', () => done()));
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function readyOf(child: ChildProcess): Promise<{ readonly url: string; readonly key: string }> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill();
      reject(new Error('The witness did not get ready in time.'));
    }, readyTimeoutMs);
    child.once('exit', (status) => {
      clearTimeout(timer);
      reject(new Error(`The witness ended with status ${status}.`));
    });
    child.on('message', (message: unknown) => {
      if (!isJsonObject(message) || message['kind'] !== 'ready') return;
      const { url, verifierKey } = message;
      if (typeof url !== 'string' || typeof verifierKey !== 'string') return;
      clearTimeout(timer);
      resolve({ url, key: verifierKey });
    });
  });
}
