// SPDX-License-Identifier: Apache-2.0
import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { ReplayError } from './replay-codes.ts';
import { listenTo, sayTo } from './replay-protocol.ts';
import type { ReplayAgent, ReplayJob, ReplayNews } from './replay-protocol.ts';

export type JobDone = Extract<ReplayNews, { kind: 'done' }>;

type Asked = {
  readonly agent: ReplayAgent;
  readonly job: ReplayJob;
  readonly settle: (done: JobDone | null) => void;
  /** Its agent came to its end before it could begin. */
  waits: boolean;
};

/**
 * The replay's side of its agents: hands them jobs and hears what became of each. An agent whose
 * session was ended comes back as a new process and is handed the jobs it could not do; one that is
 * lost with a job in its hands is not asked again: the text may be sent.
 */
export class ReplayAgents {
  readonly #server: Server;
  readonly #lines = new Map<ReplayAgent, Socket>();
  readonly #received = new Map<string, number>();
  readonly #changed = new Set<() => void>();
  /** By the number of the job. */
  readonly #asked = new Map<number, Asked>();
  /** Sessions that ended under the replay. */
  sessionsEnded = 0;

  static async listen(socketPath: string): Promise<ReplayAgents> {
    await rm(socketPath, { force: true });
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(new ReplayError('REPLAY_MESH_FAILED', `${socketPath} cannot be used.`, { cause })),
      );
      server.listen(socketPath, resolve);
    });
    return new ReplayAgents(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** True once all of them have joined; false when `timeoutMs` passed first. */
  async joined(timeoutMs: number): Promise<boolean> {
    return this.#until(() => this.#lines.size === 3, timeoutMs);
  }

  /** Null when the agent was lost before it answered, or did not answer in time. */
  async ask(agent: ReplayAgent, job: ReplayJob, timeoutMs: number): Promise<JobDone | null> {
    if (!(await this.#until(() => this.#lines.has(agent), timeoutMs))) return null;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(job.number, null), timeoutMs);
      const settle = (done: JobDone | null): void => {
        clearTimeout(timer);
        resolve(done);
      };
      this.#asked.set(job.number, { agent, job, settle, waits: false });
      this.#say(agent, job);
    });
  }

  /** When the recipient had the message, in microseconds; null when it did not come in time. */
  async receivedAtUs(id: string, timeoutMs: number): Promise<number | null> {
    await this.#until(() => this.#received.has(id), timeoutMs);
    const atUs = this.#received.get(id) ?? null;
    this.#received.delete(id);
    return atUs;
  }

  close(): void {
    for (const number of this.#asked.keys()) this.#settle(number, null);
    for (const socket of this.#lines.values()) socket.destroy();
    this.#server.close();
  }

  #accept(socket: Socket): void {
    let agent: ReplayAgent | null = null;
    let gone = false;
    // An error is followed by close, which decides.
    socket.on('error', () => undefined);
    listenTo<ReplayNews>(socket, (news) => {
      if (news.kind === 'joined') {
        agent = news.agent;
        this.#join(agent, socket);
      } else if (news.kind === 'done') {
        this.#settle(news.number, news);
      } else if (news.kind === 'gone') {
        if (!gone) this.sessionsEnded += 1;
        gone = true;
        this.#giveBack(news.number, socket);
      } else {
        this.#received.set(news.id, news.atUs);
        this.#wake();
      }
    });
    socket.on('close', () => {
      if (agent === null || this.#lines.get(agent) !== socket) return;
      this.#lines.delete(agent);
      for (const [number, asked] of this.#asked) {
        if (asked.agent === agent && !asked.waits) this.#settle(number, null);
      }
    });
  }

  #join(agent: ReplayAgent, socket: Socket): void {
    this.#lines.set(agent, socket);
    for (const asked of this.#asked.values()) {
      if (asked.agent !== agent || !asked.waits) continue;
      asked.waits = false;
      this.#say(agent, asked.job);
    }
    this.#wake();
  }

  /** A job that its process could not take: for the next one, which may be there already. */
  #giveBack(number: number, from: Socket): void {
    const asked = this.#asked.get(number);
    if (asked === undefined) return;
    asked.waits = this.#lines.get(asked.agent) === from;
    if (!asked.waits) this.#say(asked.agent, asked.job);
  }

  #say(agent: ReplayAgent, job: ReplayJob): void {
    const line = this.#lines.get(agent);
    if (line !== undefined) sayTo(line, job);
  }

  #settle(number: number, done: JobDone | null): void {
    const asked = this.#asked.get(number);
    this.#asked.delete(number);
    asked?.settle(done);
  }

  #wake(): void {
    for (const look of this.#changed) look();
  }

  #until(holds: () => boolean, timeoutMs: number): Promise<boolean> {
    if (holds()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (result: boolean): void => {
        clearTimeout(timer);
        this.#changed.delete(look);
        resolve(result);
      };
      const look = (): void => {
        if (holds()) end(true);
      };
      const timer = setTimeout(() => end(false), timeoutMs);
      this.#changed.add(look);
    });
  }
}
