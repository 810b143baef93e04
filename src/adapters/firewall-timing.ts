// SPDX-License-Identifier: Apache-2.0
import type { FirewallTiming } from '../firewall/answers.ts';

/** The firewall's clock and deadline on the monotonic clock of the event loop. */
export const systemFirewallTiming: FirewallTiming = {
  nowUs: () => performance.now() * 1000,
  within: async (promise, timeoutMs) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<{ readonly late: true }>((resolve) => {
      timer = setTimeout(() => resolve({ late: true }), timeoutMs);
    });
    try {
      return await Promise.race([promise.then((value) => ({ late: false as const, value })), late]);
    } finally {
      clearTimeout(timer);
    }
  },
};
