// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '../message/clock.ts';

/**
 * A clock that starts at a time and then follows the monotonic one alone, for what must neither be
 * forgotten early because the wall clock was set forward nor late because it was set back.
 */
export function steadyClock(
  startMs: number,
  monotonicMs: () => number = () => performance.now(),
): Clock {
  const startedAtMs = monotonicMs();
  return { nowMs: () => Math.floor(startMs + Math.max(0, monotonicMs() - startedAtMs)) };
}
