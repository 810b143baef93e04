// SPDX-License-Identifier: Apache-2.0
import { parentPort, workerData } from 'node:worker_threads';
import { FirewallError } from '../firewall/firewall-error.ts';
import type { OnnxThreadData } from './injection-model-onnx.ts';
import type { ThreadNews, ThreadQuestion } from './model-thread.ts';
import { loadOnnxReader } from './onnx-reader.ts';

await serve(workerData as OnnxThreadData);

/** Loads the model and answers one question after another; what has waited too long is not begun. */
async function serve({ model, giveUpAfterMs }: OnnxThreadData): Promise<void> {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  const say = (news: ThreadNews): void => parentPort?.postMessage(news);
  // Questions are taken from the start on: one that comes while the model loads is late, not lost.
  const loading = loadOnnxReader(model);
  let turn: Promise<void> = Promise.resolve();
  parentPort?.on('message', (question: ThreadQuestion) => {
    const untilMs = performance.now() + giveUpAfterMs;
    turn = turn.then(async () => {
      const reader = await loading;
      const answer = await reader.read(question.text, () => performance.now() > untilMs);
      say({ kind: 'answer', id: question.id, answer });
    });
    // The load that failed is said below; what a run throws ends the thread, and it is started again.
    turn.catch((failure: unknown) => {
      if (!(failure instanceof FirewallError)) throw failure;
    });
  });
  try {
    await loading;
    say({ kind: 'ready' });
  } catch (failure) {
    if (!(failure instanceof FirewallError)) throw failure;
    say({ kind: 'failed', code: failure.code });
  }
}
