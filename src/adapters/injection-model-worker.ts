// SPDX-License-Identifier: Apache-2.0
import { parentPort, workerData } from 'node:worker_threads';
import { FirewallError } from '../firewall/firewall-error.ts';
import type { InjectionQuestion } from '../firewall/injection-model.ts';
import { loadCompactModel, type ModelFile } from './firewall-model-file.ts';

/** From the thread to its owner: that it is ready, that it never will be, or an answer. */
export type WorkerNews =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'answer'; readonly id: number; readonly probability: number; readonly version: string };

export type WorkerQuestion = InjectionQuestion & { readonly id: number };

serve(workerData as ModelFile);

/** Loads the model and answers one question after another. */
function serve(file: ModelFile): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  const say = (news: WorkerNews): void => parentPort?.postMessage(news);
  try {
    const model = loadCompactModel(file);
    parentPort?.on('message', ({ id, text, channel }: WorkerQuestion) => {
      const { probability } = model.read(text, channel);
      say({ kind: 'answer', id, probability, version: model.version });
    });
    say({ kind: 'ready' });
  } catch (failure) {
    if (!(failure instanceof FirewallError)) throw failure;
    say({ kind: 'failed', code: failure.code });
  }
}
