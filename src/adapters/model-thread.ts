// SPDX-License-Identifier: Apache-2.0
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { isFirewallCode, type FirewallCode } from '../firewall/codes.ts';
import { FirewallError } from '../firewall/firewall-error.ts';
import type { InjectionAnswer, InjectionQuestion } from '../firewall/injection-model.ts';

/** From the thread to its owner: that it is ready, that it never will be, or an answer. */
export type ThreadNews =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: InjectionAnswer };

export type ThreadQuestion = InjectionQuestion & { readonly id: number };

export type ModelThreadOptions = {
  /** Program beside this file, without its ending. */
  readonly program: string;
  readonly workerData: unknown;
  /** Told of every end of the thread and of a model that does not load; never of a text. */
  readonly report: (failure: unknown) => void;
};

/** A text that waits behind so many others would be answered too late anyway. */
const waitingMax = 256;
const restartAfterMs = 100;
const restartAfterMsMax = 5_000;

type Waiting = (answer: InjectionAnswer) => void;

/**
 * A thread that reads texts, so that no text blocks the loop. One that ends is reported and started
 * again, slower each time, and what it was asked is unavailable. One whose model does not load
 * answers every question, also those that wait, with the code that says why.
 */
export class ModelThread {
  readonly #options: ModelThreadOptions;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #restart: NodeJS.Timeout | null = null;
  #failed: FirewallCode | null = null;
  #ends = 0;
  #asked = 0;
  #closed = false;

  constructor(options: ModelThreadOptions) {
    this.#options = options;
    this.#start();
  }

  ask(question: InjectionQuestion): Promise<InjectionAnswer> {
    const worker = this.#worker;
    if (this.#failed !== null) return Promise.resolve(notLoaded(this.#failed));
    if (worker === null) return Promise.resolve(unavailable('The thread of the model has ended.'));
    if (this.#waiting.size >= waitingMax) return Promise.resolve(unavailable('Too many texts wait.'));
    const id = (this.#asked += 1);
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage({ id, ...question });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    await this.#worker?.terminate();
  }

  /** Ends the thread as a crash would; it is started again. */
  async terminate(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): void {
    const { program, workerData, report } = this.#options;
    const file = join(import.meta.dirname, `${program}${extname(import.meta.filename)}`);
    const worker = new Worker(file, { workerData, env: {}, stdout: false, stderr: false });
    this.#worker = worker;
    worker.on('message', (news: ThreadNews) => this.#take(news));
    worker.on('error', (failure) => report(failure));
    worker.on('exit', () => this.#ended());
    worker.unref();
  }

  #take(news: ThreadNews): void {
    if (news.kind === 'ready') return;
    if (news.kind === 'failed') {
      const code = isFirewallCode(news.code) ? news.code : 'FIREWALL_UNAVAILABLE';
      this.#failed = code;
      this.#options.report(new FirewallError(code, 'The thread of the injection model could not load it.'));
      this.#answerAll(notLoaded(code));
      return;
    }
    this.#ends = 0;
    const answer = this.#waiting.get(news.id);
    this.#waiting.delete(news.id);
    answer?.(news.answer);
  }

  #ended(): void {
    this.#worker = null;
    this.#answerAll(unavailable('The thread of the model ended.'));
    if (this.#closed || this.#failed !== null) return;
    this.#options.report(new FirewallError('FIREWALL_UNAVAILABLE', 'The thread of the injection model ended.'));
    const afterMs = Math.min(restartAfterMsMax, restartAfterMs * 2 ** this.#ends);
    this.#ends += 1;
    this.#restart = setTimeout(() => this.#start(), afterMs);
    this.#restart.unref();
  }

  #answerAll(answer: InjectionAnswer): void {
    for (const waiting of this.#waiting.values()) waiting(answer);
    this.#waiting.clear();
  }
}

export function notLoaded(code: FirewallCode): InjectionAnswer {
  return { status: 'unavailable', reason: 'The model could not be loaded.', code };
}

function unavailable(reason: string): InjectionAnswer {
  return { status: 'unavailable', reason };
}
