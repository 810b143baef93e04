// SPDX-License-Identifier: Apache-2.0
import type { Deadline } from '../tool/gate.ts';

/** The timer of the gate and of waiting agents, on the monotonic clock of the event loop. */
export const timerDeadline: Deadline = {
  start(afterMs) {
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, afterMs);
    });
    return { expired, cancel: () => clearTimeout(timer) };
  },
};
