// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { filesOf, root } from './guide.ts';

const maso = join(root, 'src/cli/maso.ts');
const masoVerify = join(root, 'src/verifier/maso-verify.ts');
const readyTimeoutMs = 20_000;
const scriptTimeoutMs = 60_000;

/** A folder in which a reader follows a guide, with the mesh that runs there. */
export class GuideFolder {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), 'guide-')));
  #mesh: ChildProcess | null = null;
  #output = '';

  /** Writes the guide's files; what imports `maso` gets it from source. */
  write(document: string): void {
    for (const [name, text] of filesOf(document)) {
      const file = join(this.path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text.replaceAll("'maso'", `'${join(root, 'src/index.ts')}'`));
    }
  }

  /** Resolves when the mesh and its sidecars serve. */
  async up(...options: readonly string[]): Promise<void> {
    const child = spawn(process.execPath, [maso, 'up', 'security_mesh.yaml', ...options], {
      cwd: this.path,
      env: this.#environment({}),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#mesh = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString('utf8');
      });
    }
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not ready:\n${this.#output}`)), readyTimeoutMs);
      child.once('message', () => {
        clearTimeout(timer);
        resolve();
      });
      child.once('exit', () => {
        clearTimeout(timer);
        reject(new Error(`ended:\n${this.#output}`));
      });
    });
  }

  /** What mesh and agents have printed so far. */
  get output(): string {
    return this.#output;
  }

  /** Waits until the mesh or its agents have printed this. */
  async printed(text: string): Promise<void> {
    const child = this.#mesh;
    while (!this.#output.includes(text)) {
      if (child === null || child.exitCode !== null) throw new Error(`ended:\n${this.#output}`);
      await new Promise<void>((resolve) => {
        child.stdout?.once('data', () => resolve());
        child.once('exit', () => resolve());
      });
    }
  }

  /** Runs a guide's commands as its reader's shell would; what they print, or rejects. */
  run(script: string, environment: { readonly [name: string]: string } = {}): Promise<string> {
    const programs = [['maso', maso], ['maso-verify', masoVerify]];
    const functions = programs.map(([name, file]) => `${name}() { node ${file} "$@"; }\n`);
    const prelude = `set -eu\n${functions.join('')}`;
    return this.#finish('bash', ['-c', prelude + script], environment);
  }

  node(file: string, environment: { readonly [name: string]: string }): Promise<string> {
    return this.#finish(process.execPath, [file], environment);
  }

  async close(): Promise<void> {
    const child = this.#mesh;
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.path, { recursive: true, force: true });
  }

  #finish(
    program: string,
    args: readonly string[],
    environment: { readonly [name: string]: string },
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        cwd: this.path,
        env: this.#environment(environment),
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: scriptTimeoutMs,
      });
      let printed = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          printed += chunk.toString('utf8');
        });
      }
      child.once('error', reject);
      child.once('close', (status) => {
        if (status === 0) resolve(printed);
        else reject(new Error(`status ${status}:\n${printed}\n${this.#output}`));
      });
    });
  }

  #environment(more: { readonly [name: string]: string }): NodeJS.ProcessEnv {
    const path = [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
    return { ...process.env, NO_COLOR: '1', ...more, PATH: path };
  }
}

/** True where the programs that the guides' readers use are installed. */
export function hasShellAndCurl(): boolean {
  return ['bash', 'curl'].every((name) => spawnSync(name, ['--version']).status === 0);
}
