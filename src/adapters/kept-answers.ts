// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { InjectionAnswer, InjectionQuestion } from '../firewall/injection-model.ts';

const keptMax = 1024;

/**
 * Answers of a deterministic model to the last texts, by a digest of channel and text, never the
 * text: the same text passes several controls of one process. Failures are not kept.
 */
export class KeptAnswers {
  readonly #kept = new Map<string, InjectionAnswer>();

  of(
    question: InjectionQuestion,
    ask: () => InjectionAnswer | Promise<InjectionAnswer>,
  ): InjectionAnswer | Promise<InjectionAnswer> {
    const key = createHash('sha256').update(`${question.channel}\0${question.text}`).digest('base64');
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const answer = ask();
    if (answer instanceof Promise) return answer.then((late) => this.#noted(key, late));
    return this.#noted(key, answer);
  }

  #noted(key: string, answer: InjectionAnswer): InjectionAnswer {
    if (answer.status === 'ok') this.#keep(key, answer);
    return answer;
  }

  #keep(key: string, answer: InjectionAnswer): void {
    if (this.#kept.size >= keptMax) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    this.#kept.set(key, answer);
  }
}
