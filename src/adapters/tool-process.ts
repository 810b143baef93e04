// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { parseJSONRPCMessage } from '@modelcontextprotocol/client';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { parseStrictJson } from '../message/strict-json.ts';
import { toolPath } from './tool-program-files.ts';

export type ToolProcessOptions = {
  readonly command: readonly string[];
  readonly directory: string;
  /** The whole environment of the tool but for a fixed PATH; nothing is inherited. */
  readonly env: { readonly [name: string]: string };
  /** Needs root; the start fails when it cannot be applied. */
  readonly identity: { readonly uid: number; readonly gid: number } | null;
  readonly messageBytesMax: number;
  /** The process sent what is not allowed and was killed. */
  readonly onViolation: () => void;
};

const exitGraceMs = 500;
/** Messages that answer nothing, since the last one that did; a flood of them is a violation. */
const unsolicitedMax = 1000;
/** The gate refuses deep results with a code of its own; this only bounds the parser. */
const depthMax = 256;

/**
 * MCP over the pipes of a child process. Differs from the SDK's own transport in what an attacker
 * controls: the environment is empty (the SDK adds HOME, USER and others), uid and gid are set, the
 * process leads its own group so that its children end with it, and anything on stdout that is not
 * one strict JSON-RPC message per line ends the process. What it writes to stderr is read and
 * dropped.
 */
export class ToolProcess implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #options: ToolProcessOptions;
  #child: ChildProcessByStdio<Writable, Readable, Readable> | null = null;
  #parts: Buffer[] = [];
  #pendingBytes = 0;
  #unsolicited = 0;
  #ended = false;
  #violation: 'TOOL_PROTOCOL' | 'TOOL_RESULT_TOO_LARGE' | null = null;

  constructor(options: ToolProcessOptions) {
    this.#options = options;
  }

  /** Why the process was killed; null when it was not. */
  get violation(): 'TOOL_PROTOCOL' | 'TOOL_RESULT_TOO_LARGE' | null {
    return this.#violation;
  }

  start(): Promise<void> {
    const { command, directory, env, identity } = this.#options;
    const [program = '', ...args] = command;
    return new Promise((resolve, reject) => {
      // `node` is this very interpreter: the search path decides nothing.
      const child = spawn(program === 'node' ? process.execPath : program, args, {
        cwd: directory,
        env: { PATH: toolPath, ...env },
        stdio: ['pipe', 'pipe', 'pipe'],
        shell: false,
        detached: true,
        ...(identity === null ? {} : identity),
      });
      this.#child = child;
      child.once('spawn', resolve);
      child.on('error', (error) => {
        reject(error);
        this.#end();
      });
      child.on('exit', () => this.#killGroup());
      child.on('close', () => this.#end());
      child.stdin.on('error', () => this.#end());
      child.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
      child.stdout.on('error', () => this.#end());
      child.stderr.on('error', () => this.#end());
      child.stderr.resume();
    });
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const child = this.#child;
    if (child === null || this.#ended) throw new Error('the tool is not running');
    const line = `${JSON.stringify(message)}\n`;
    await new Promise<void>((resolve, reject) => {
      child.stdin.write(line, (failure) => {
        if (failure === null || failure === undefined) resolve();
        else reject(failure);
      });
    });
  }

  /** Kills the process and all that it started, without a word before. */
  kill(): void {
    this.#killGroup();
    this.#end();
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) {
      this.#end();
      return;
    }
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.stdin.end();
    if (!(await within(exited, exitGraceMs))) {
      child.kill('SIGTERM');
      if (!(await within(exited, exitGraceMs))) {
        this.#killGroup();
        await within(exited, exitGraceMs);
      }
    }
    this.#end();
  }

  #read(chunk: Buffer): void {
    if (this.#ended) return;
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      this.#parts.push(chunk.subarray(start, end));
      this.#pendingBytes += end - start;
      start = end + 1;
      if (this.#tooLong()) return this.#violate('TOOL_RESULT_TOO_LARGE');
      const line = Buffer.concat(this.#parts);
      this.#parts = [];
      this.#pendingBytes = 0;
      if (!this.#accept(line)) return this.#violate('TOOL_PROTOCOL');
      if (this.#ended) return;
    }
    this.#parts.push(chunk.subarray(start));
    this.#pendingBytes += chunk.length - start;
    if (this.#tooLong()) this.#violate('TOOL_RESULT_TOO_LARGE');
  }

  #tooLong(): boolean {
    return this.#pendingBytes > this.#options.messageBytesMax;
  }

  #accept(line: Buffer): boolean {
    const { messageBytesMax } = this.#options;
    const parsed = parseStrictJson(line, {
      bytesMax: messageBytesMax,
      depthMax,
      membersMax: messageBytesMax,
      keyLengthMax: messageBytesMax,
    });
    if (!parsed.ok) return false;
    let message: JSONRPCMessage;
    try {
      message = parseJSONRPCMessage(parsed.value);
    } catch {
      // JSON that is not JSON-RPC is a violation like any other.
      return false;
    }
    this.#unsolicited = 'method' in message ? this.#unsolicited + 1 : 0;
    if (this.#unsolicited > unsolicitedMax) return false;
    this.onmessage?.(message);
    return true;
  }

  #violate(violation: 'TOOL_PROTOCOL' | 'TOOL_RESULT_TOO_LARGE'): void {
    this.#violation = violation;
    this.#options.onViolation();
    this.#killGroup();
    this.#end();
  }

  #killGroup(): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Nothing of the group is left, which is what was wanted.
      return;
    }
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#parts = [];
    this.onclose?.();
  }
}

async function within(event: Promise<void>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  try {
    return await Promise.race([event.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
