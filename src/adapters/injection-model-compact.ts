// SPDX-License-Identifier: Apache-2.0
import type { FirewallCode } from '../firewall/codes.ts';
import type { CompactModel, Reading } from '../firewall/compact-model.ts';
import { FirewallError } from '../firewall/firewall-error.ts';
import type { InjectionAnswer, InjectionModel, InjectionQuestion } from '../firewall/injection-model.ts';
import { loadCompactModel, type ModelFile } from './firewall-model-file.ts';
import { KeptAnswers } from './kept-answers.ts';
import { ModelThread, notLoaded } from './model-thread.ts';

export type CompactInjectionModelOptions = {
  readonly file: ModelFile;
  /** Told of every end of the thread and of a model that does not load; never of a text. */
  readonly report: (failure: unknown) => void;
  /** Texts of at most so many UTF-16 units are read on the caller's thread; default 8,192. */
  readonly inlineUnitsMax?: number;
};

/**
 * 0.8 ms of work, 4 ms for a text made to be slow: less than a message to a thread and back takes on two busy
 * cores, where the thread has to be woken and has its own code to warm.
 */
const inlineUnitsDefault = 8192;
/** As many texts of full length are read on the caller's thread in one go. */
const textsAtOnce = 2;
/** Such a share of that length is always read there: a review has 33 texts at most. */
const shortShare = 1 / 16;

/**
 * Windows read a second time in one go, 0.3 ms each: an attacker can make every text of a review look doubtful.
 * Short texts have more, so that others' texts hardly ever send them to the thread.
 */
const windowsTwiceMax = 20;
const windowsTwiceShortMax = 36;

/**
 * The compact model behind its port: short texts on this thread, long ones on a thread of its own,
 * so that no text blocks the loop. A model that cannot be loaded leaves every question unanswered
 * under the code that says why.
 */
export class CompactInjectionModel implements InjectionModel {
  readonly name = 'compact';
  readonly configured = true;
  readonly #inlineUnitsMax: number;
  readonly #model: CompactModel | FirewallCode;
  readonly #thread: ModelThread | null;
  readonly #kept = new KeptAnswers();
  /** UTF-16 units read here in this go: a review asks for all its texts in one, and so do messages that came together. */
  #readAtOnce = 0;
  #twiceAtOnce = 0;

  constructor(options: CompactInjectionModelOptions) {
    this.#inlineUnitsMax = options.inlineUnitsMax ?? inlineUnitsDefault;
    this.#model = loaded(options);
    const { file: workerData, report } = options;
    this.#thread = typeof this.#model === 'string'
      ? null
      : new ModelThread({ program: 'injection-model-worker', workerData, report });
  }

  classify(question: InjectionQuestion): InjectionAnswer | Promise<InjectionAnswer> {
    const model = this.#model;
    if (typeof model === 'string') return notLoaded(model);
    return this.#kept.of(question, () => {
      const thread = this.#thread;
      if (thread === null) return answerOf(model, model.read(question.text, question.channel));
      const here = this.#fitsInOneGo(question.text.length) ? this.#readHere(model, question) : null;
      return here ?? thread.ask(question);
    });
  }

  /** Null where so much was read twice in this go already that it would hold up others. */
  #readHere(model: CompactModel, { text, channel }: InjectionQuestion): InjectionAnswer | null {
    const most = this.#isShort(text.length) ? windowsTwiceShortMax : windowsTwiceMax;
    const reading = model.readWithin(text, channel, most - this.#twiceAtOnce);
    if (reading === null) return null;
    this.#spend(0, reading.windowsTwice);
    return answerOf(model, reading);
  }

  #spend(units: number, windowsTwice: number): void {
    if (units + windowsTwice === 0) return;
    if (this.#readAtOnce + this.#twiceAtOnce === 0) queueMicrotask(() => (this.#readAtOnce = this.#twiceAtOnce = 0));
    this.#readAtOnce += units;
    this.#twiceAtOnce += windowsTwice;
  }

  /**
   * Many texts of one go keep the loop as long as a long one. A short one does not wait behind what somebody
   * else sent: the thread may have seconds of long texts to read, and a late answer refuses.
   */
  #fitsInOneGo(units: number): boolean {
    const inlineUnitsMax = this.#inlineUnitsMax;
    if (this.#isShort(units)) return true;
    if (units > inlineUnitsMax || this.#readAtOnce + units > textsAtOnce * inlineUnitsMax) return false;
    this.#spend(units, 0);
    return true;
  }

  #isShort(units: number): boolean {
    return units <= this.#inlineUnitsMax * shortShare;
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

function answerOf({ version }: CompactModel, { probability }: Reading): InjectionAnswer {
  return { status: 'ok', probability, version };
}
