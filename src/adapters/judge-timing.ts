// SPDX-License-Identifier: Apache-2.0
import type { JudgeTiming } from '../judge/judge-model.ts';

/** The judge's clock and deadlines on the monotonic clock of the event loop. */
export const systemJudgeTiming: JudgeTiming = {
  nowUs: () => performance.now() * 1000,
  within: async (work, timeoutMs) => {
    const ending = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<{ readonly late: true }>((resolve) => {
      timer = setTimeout(() => resolve({ late: true }), timeoutMs);
    });
    try {
      const worked = work(ending.signal);
      const first = await Promise.race([worked.then((value) => ({ late: false as const, value })), late]);
      // Nobody waits any more for what it rejects with once it is ended.
      if (first.late) worked.catch(() => undefined);
      return first;
    } finally {
      clearTimeout(timer);
      ending.abort();
    }
  },
};
