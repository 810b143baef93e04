// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { isFirewallCode, type FirewallCode } from '../firewall/codes.ts';
import type { CompactModel } from '../firewall/compact-model.ts';
import { FirewallError } from '../firewall/firewall-error.ts';
import type { InjectionAnswer, InjectionModel, InjectionQuestion } from '../firewall/injection-model.ts';
import { loadCompactModel, type ModelFile } from './firewall-model-file.ts';
import type { WorkerNews } from './injection-model-worker.ts';

export type CompactInjectionModelOptions = {
  readonly file: ModelFile;
  /** Told of every end of the thread and of a model that does not load; never of a text. */
  readonly report: (failure: unknown) => void;
  /** Texts of at most so many UTF-16 units are read on the caller's thread; default 2,048. */
  readonly inlineUnitsMax?: number;
};

/** Half a millisecond of work at most: less than a message to a thread and back costs on a busy core. */
const inlineUnitsDefault = 2048;
const keptAnswersMax = 1024;
/** A text that waits behind so many others would be answered too late anyway. */
const waitingMax = 256;
const restartAfterMs = 100;
const restartAfterMsMax = 5_000;

type Waiting = (answer: InjectionAnswer) => void;

/**
 * The compact model behind its port: short texts on this thread, long ones on a thread of its own,
 * so that no text blocks the loop. Answers are kept by a keyed digest of the text, never the text. A
 * thread that ends is reported and started again, slower each time; what it was asked is unavailable.
 * A model that cannot be loaded leaves every question unanswered under the code that says why.
 */
export class CompactInjectionModel implements InjectionModel {
  readonly name = 'compact';
  readonly configured = true;
  readonly #options: CompactInjectionModelOptions;
  readonly #model: CompactModel | FirewallCode;
  readonly #waiting = new Map<number, Waiting>();
  readonly #kept = new Map<string, number>();
  #worker: Worker | null = null;
  #restart: NodeJS.Timeout | null = null;
  #ends = 0;
  #asked = 0;
  #closed = false;

  constructor(options: CompactInjectionModelOptions) {
    this.#options = options;
    this.#model = loaded(options);
    if (typeof this.#model !== 'string') this.#startWorker();
  }

  async classify(question: InjectionQuestion): Promise<InjectionAnswer> {
    const model = this.#model;
    if (typeof model === 'string') return unavailable('The model could not be loaded.', model);
    const key = digestOf(question);
    const kept = this.#kept.get(key);
    if (kept !== undefined) return { status: 'ok', probability: kept, version: model.version };
    const inline = question.text.length <= (this.#options.inlineUnitsMax ?? inlineUnitsDefault);
    const answer = inline ? readHere(model, question) : await this.#ask(question);
    if (answer.status === 'ok') this.#keep(key, answer.probability);
    return answer;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    await this.#worker?.terminate();
  }

  /** Ends the thread as a crash would; it is started again. */
  async terminateThread(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(question: InjectionQuestion): Promise<InjectionAnswer> {
    const worker = this.#worker;
    if (worker === null) return Promise.resolve(unavailable('The thread of the model has ended.'));
    if (this.#waiting.size >= waitingMax) return Promise.resolve(unavailable('Too many texts wait.'));
    const id = (this.#asked += 1);
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage({ id, ...question });
    });
  }

  #startWorker(): void {
    const program = join(import.meta.dirname, `injection-model-worker${extname(import.meta.filename)}`);
    const worker = new Worker(program, { workerData: this.#options.file, env: {}, stdout: false, stderr: false });
    this.#worker = worker;
    worker.on('message', (news: WorkerNews) => this.#take(news));
    worker.on('error', (failure) => this.#options.report(failure));
    worker.on('exit', () => this.#ended());
    worker.unref();
  }

  #take(news: WorkerNews): void {
    if (news.kind === 'ready') return;
    if (news.kind === 'failed') {
      const code = isFirewallCode(news.code) ? news.code : 'FIREWALL_UNAVAILABLE';
      this.#options.report(new FirewallError(code, 'The thread of the injection model could not load it.'));
      return;
    }
    const { id, probability, version } = news;
    this.#ends = 0;
    const answer = this.#waiting.get(id);
    this.#waiting.delete(id);
    answer?.({ status: 'ok', probability, version });
  }

  #ended(): void {
    this.#worker = null;
    for (const answer of this.#waiting.values()) answer(unavailable('The thread of the model ended.'));
    this.#waiting.clear();
    if (this.#closed) return;
    this.#options.report(new FirewallError('FIREWALL_UNAVAILABLE', 'The thread of the injection model ended.'));
    const afterMs = Math.min(restartAfterMsMax, restartAfterMs * 2 ** this.#ends);
    this.#ends += 1;
    this.#restart = setTimeout(() => this.#startWorker(), afterMs);
    this.#restart.unref();
  }

  #keep(key: string, probability: number): void {
    if (this.#kept.size >= keptAnswersMax) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    this.#kept.set(key, probability);
  }
}

function loaded({ file, report }: CompactInjectionModelOptions): CompactModel | FirewallCode {
  try {
    return loadCompactModel(file);
  } catch (failure) {
    report(failure);
    return failure instanceof FirewallError ? failure.code : 'FIREWALL_MODEL_MALFORMED';
  }
}

function readHere(model: CompactModel, { text, channel }: InjectionQuestion): InjectionAnswer {
  return { status: 'ok', probability: model.read(text, channel).probability, version: model.version };
}

function digestOf({ text, channel }: InjectionQuestion): string {
  return createHash('sha256').update(`${channel}\0${text}`).digest('base64');
}

function unavailable(reason: string, code?: FirewallCode): InjectionAnswer {
  return code === undefined ? { status: 'unavailable', reason } : { status: 'unavailable', reason, code };
}
