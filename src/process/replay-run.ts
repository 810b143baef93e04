// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcess } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { isJsonObject } from '../message/json.ts';
import { socketPathBytesMax } from './directories.ts';
import { ReplayAgents } from './replay-agents.ts';
import { ReplayError } from './replay-codes.ts';
import type { CorpusRow } from './replay-corpus.ts';
import { programPath, toolFor, writeReplayMesh, type ReplayFiles } from './replay-mesh.ts';
import type { SentText } from './replay-tally.ts';
import { textFile, textsVariable } from './replay-tool.ts';

/** A text that went through the mesh, and how long it took to where it ended. */
export type ReplayedText = SentText & {
  /** Until the recipient had it or the tool's result was handed over; else until the refusal. */
  readonly tookUs: number | null;
  readonly ended: 'delivered' | 'refused' | 'unanswered';
};

const readyTimeoutMs = 30_000;
const answerTimeoutMs = 60_000;
const deliveryTimeoutMs = 10_000;
const stopTimeoutMs = 15_000;
const linesKept = 40;

/**
 * A private mesh with real processes and sockets: `maso up` with three sidecars and an agent beside
 * each. Rejects with `ReplayError` REPLAY_MESH_FAILED when it does not start.
 */
export class ReplayMesh {
  readonly files: ReplayFiles;
  readonly #agents: ReplayAgents;
  readonly #child: ChildProcess;
  readonly #lines: string[];

  static async start(state: string): Promise<ReplayMesh> {
    const files = await writeReplayMesh(state);
    if (Buffer.byteLength(files.socket) > socketPathBytesMax) {
      throw new ReplayError('REPLAY_MESH_FAILED', 'The path of the state directory is too long.');
    }
    const agents = await ReplayAgents.listen(files.socket);
    const lines: string[] = [];
    const child = startUp(files, lines);
    const mesh = new ReplayMesh(files, agents, child, lines);
    const ready = (await untilReady(child)) && (await agents.joined(readyTimeoutMs));
    if (ready) return mesh;
    await mesh.stop();
    throw new ReplayError('REPLAY_MESH_FAILED', `The mesh did not start:\n${lines.join('\n')}`);
  }

  private constructor(
    files: ReplayFiles,
    agents: ReplayAgents,
    child: ChildProcess,
    lines: string[],
  ) {
    this.files = files;
    this.#agents = agents;
    this.#child = child;
    this.#lines = lines;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Sessions that the mesh ended; each agent came back as a new process. */
  get sessionsEnded(): number {
    return this.#agents.sessionsEnded;
  }

  /** What the mesh said last on standard error. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Sends one text and waits for where it ends. Numbers are unique in one run. */
  async send(number: number, row: CorpusRow): Promise<ReplayedText> {
    return row.channel === 'agent_message' ? this.#message(number, row) : this.#result(number, row);
  }

  /** Ends the mesh in order, so that everything its sidecars still hold is on record. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (this.running) {
      const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      // The mesh ends when whoever started it lets go of it.
      if (child.connected) child.disconnect();
      else child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
      await exited;
      clearTimeout(timer);
    }
    this.#agents.close();
  }

  async #message(number: number, row: CorpusRow): Promise<ReplayedText> {
    const { label, channel, text } = row;
    const sent = { label, channel, way: 'agent_message' } as const;
    const done = await this.#agents.ask('sender', { number, text }, answerTimeoutMs);
    if (done === null) return unanswered(sent);
    const { id, verdict, startedUs, endedUs } = done;
    const tookUs = endedUs - startedUs;
    const refused = { ...sent, id, verdict, tookUs, ended: 'refused' } as const;
    if (verdict === 'NO-GO' || id === null) return refused;
    const atUs = await this.#agents.receivedAtUs(id, deliveryTimeoutMs);
    // Accepted by the bus and not handed over: the recipient's sidecar refused it, on record.
    if (atUs === null) return { ...refused, verdict: 'NO-GO', tookUs: null };
    return { ...refused, tookUs: atUs - startedUs, ended: 'delivered' };
  }

  async #result(number: number, row: CorpusRow): Promise<ReplayedText> {
    const { label, channel, text } = row;
    const sent = { label, channel, way: 'tool_result' } as const;
    const file = textFile(this.files.texts, number);
    await writeFile(file, text, { mode: 0o600 });
    try {
      const done = await this.#agents.ask('reader', { number, text: null, tool: toolFor(channel) }, answerTimeoutMs);
      if (done === null) return unanswered(sent);
      const { id, verdict, startedUs, endedUs } = done;
      const ended = verdict === 'NO-GO' ? 'refused' : 'delivered';
      return { ...sent, id, verdict, tookUs: endedUs - startedUs, ended };
    } finally {
      await rm(file, { force: true });
    }
  }
}

function unanswered(sent: Pick<SentText, 'label' | 'channel' | 'way'>): ReplayedText {
  return { ...sent, id: null, verdict: 'NO-GO', tookUs: null, ended: 'unanswered' };
}

function startUp(files: ReplayFiles, lines: string[]): ChildProcess {
  const up = ['up', files.meshFile, '--state', files.state, '--json'];
  const child = spawn(process.execPath, [...process.execArgv, programPath('cli/maso'), ...up], {
    env: { ...process.env, [textsVariable]: files.texts },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let rest = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (chunk: string) => {
    const whole = (rest + chunk).split('\n');
    rest = (whole.pop() ?? '').slice(-1000);
    lines.push(...whole.slice(-linesKept));
    lines.splice(0, Math.max(0, lines.length - linesKept));
  });
  return child;
}

function untilReady(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), readyTimeoutMs);
    const end = (ready: boolean): void => {
      clearTimeout(timer);
      resolve(ready);
    };
    child.once('error', () => end(false));
    child.once('exit', () => end(false));
    child.on('message', (message: unknown) => {
      if (isJsonObject(message) && message['kind'] === 'ready') end(true);
    });
  });
}
