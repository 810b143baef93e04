// SPDX-License-Identifier: Apache-2.0
import type { FirewallCode } from '../firewall/codes.ts';
import type { CompactModel } from '../firewall/compact-model.ts';
import { FirewallError } from '../firewall/firewall-error.ts';
import type { InjectionAnswer, InjectionModel, InjectionQuestion } from '../firewall/injection-model.ts';
import { loadCompactModel, type ModelFile } from './firewall-model-file.ts';
import { KeptAnswers } from './kept-answers.ts';
import { ModelThread, notLoaded } from './model-thread.ts';

export type CompactInjectionModelOptions = {
  readonly file: ModelFile;
  /** Told of every end of the thread and of a model that does not load; never of a text. */
  readonly report: (failure: unknown) => void;
  /** Texts of at most so many UTF-16 units are read on the caller's thread; default 2,048. */
  readonly inlineUnitsMax?: number;
};

/** Half a millisecond of work at most: less than a message to a thread and back costs on a busy core. */
const inlineUnitsDefault = 2048;

/**
 * The compact model behind its port: short texts on this thread, long ones on a thread of its own,
 * so that no text blocks the loop. A model that cannot be loaded leaves every question unanswered
 * under the code that says why.
 */
export class CompactInjectionModel implements InjectionModel {
  readonly name = 'compact';
  readonly configured = true;
  readonly #options: CompactInjectionModelOptions;
  readonly #model: CompactModel | FirewallCode;
  readonly #thread: ModelThread | null;
  readonly #kept = new KeptAnswers();

  constructor(options: CompactInjectionModelOptions) {
    this.#options = options;
    this.#model = loaded(options);
    const { file: workerData, report } = options;
    this.#thread = typeof this.#model === 'string'
      ? null
      : new ModelThread({ program: 'injection-model-worker', workerData, report });
  }

  async classify(question: InjectionQuestion): Promise<InjectionAnswer> {
    const model = this.#model;
    if (typeof model === 'string') return notLoaded(model);
    const inlineUnitsMax = this.#options.inlineUnitsMax ?? inlineUnitsDefault;
    const isInline = this.#thread === null || question.text.length <= inlineUnitsMax;
    const thread = isInline ? null : this.#thread;
    return this.#kept.of(question, () => thread?.ask(question) ?? readHere(model, question));
  }

  async close(): Promise<void> {
    await this.#thread?.close();
  }

  /** Ends the thread as a crash would; it is started again. */
  async terminateThread(): Promise<void> {
    await this.#thread?.terminate();
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
