// SPDX-License-Identifier: Apache-2.0
import type { InjectionAnswer, InjectionModel, InjectionQuestion } from '../firewall/injection-model.ts';
import { KeptAnswers } from './kept-answers.ts';
import { ModelThread } from './model-thread.ts';
import type { OnnxModelFile } from './onnx-model-files.ts';

export type OnnxInjectionModelOptions = {
  readonly model: OnnxModelFile;
  /** What is not answered by then is left unread; the firewall's own deadline ends the waiting. */
  readonly giveUpAfterMs: number;
  /** Told of every end of the thread and of a model that does not load; never of a text. */
  readonly report: (failure: unknown) => void;
};

export type OnnxThreadData = Pick<OnnxInjectionModelOptions, 'model' | 'giveUpAfterMs'>;

/**
 * A published text-classification model that a user brings, behind the port: always on a thread of
 * its own. The channel is no input of such a model; the mesh file's thresholds per channel are what
 * tells channels apart. A model that does not load leaves every question unanswered under its code.
 */
export class OnnxInjectionModel implements InjectionModel {
  readonly name = 'onnx';
  readonly configured = true;
  readonly #thread: ModelThread;
  readonly #kept = new KeptAnswers();

  constructor({ model, giveUpAfterMs, report }: OnnxInjectionModelOptions) {
    const workerData: OnnxThreadData = { model, giveUpAfterMs };
    this.#thread = new ModelThread({ program: 'injection-model-onnx-worker', workerData, report });
  }

  classify(question: InjectionQuestion): InjectionAnswer | Promise<InjectionAnswer> {
    return this.#kept.of(question, () => this.#thread.ask(question));
  }

  async close(): Promise<void> {
    await this.#thread.close();
  }

  /** Ends the thread as a crash would; it is started again. */
  async terminateThread(): Promise<void> {
    await this.#thread.terminate();
  }
}
