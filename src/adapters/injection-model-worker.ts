// SPDX-License-Identifier: Apache-2.0
import { parentPort, workerData } from 'node:worker_threads';
import { FirewallError } from '../firewall/firewall-error.ts';
import { loadCompactModel, type ModelFile } from './firewall-model-file.ts';
import type { ThreadNews, ThreadQuestion } from './model-thread.ts';

serve(workerData as ModelFile);

/** Loads the model and answers one question after another. */
function serve(file: ModelFile): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  const say = (news: ThreadNews): void => parentPort?.postMessage(news);
  try {
    const model = loadCompactModel(file);
    parentPort?.on('message', ({ id, text, channel }: ThreadQuestion) => {
      const { probability } = model.read(text, channel);
      say({ kind: 'answer', id, answer: { status: 'ok', probability, version: model.version } });
    });
    say({ kind: 'ready' });
  } catch (failure) {
    if (!(failure instanceof FirewallError)) throw failure;
    say({ kind: 'failed', code: failure.code });
  }
}
