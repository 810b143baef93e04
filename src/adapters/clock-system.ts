// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '../message/clock.ts';

/** The wall clock, guarded by the monotonic one. */
export type SystemClock = Clock & {
  /**
   * How far the wall clock has moved against the monotonic one since the start, in milliseconds:
   * positive forward, negative back. Beyond the allowed skew, privileged actions stop.
   */
  readonly jumpedMs: () => number;
};

export type SystemClockOptions = {
  /** The latest time that was ever recorded, milliseconds since 1970; time starts no earlier. */
  readonly floorMs?: number;
  readonly wallMs?: () => number;
  readonly monotonicMs?: () => number;
};

/**
 * A clock that never goes back and never stands still: set back, it goes on from what it last said
 * at the pace of the monotonic clock, so that nothing lives longer than it was given. Such a
 * process stays ahead until it is restarted; `jumpedMs` shows by how much. Set forward, it follows:
 * what expires too early is refused, which is the safe side.
 */
export function systemClock(options: SystemClockOptions = {}): SystemClock {
  const wallMs = options.wallMs ?? Date.now;
  const monotonicMs = options.monotonicMs ?? (() => performance.now());
  const startedWallMs = wallMs();
  const startedMonotonicMs = monotonicMs();
  let saidMs = Math.max(startedWallMs, options.floorMs ?? 0);
  let saidAtMonotonicMs = startedMonotonicMs;

  function nowMs(): number {
    const monotonic = monotonicMs();
    const carriedMs = saidMs + Math.max(0, monotonic - saidAtMonotonicMs);
    saidMs = Math.max(wallMs(), carriedMs);
    saidAtMonotonicMs = monotonic;
    return Math.floor(saidMs);
  }

  function jumpedMs(): number {
    return wallMs() - startedWallMs - (monotonicMs() - startedMonotonicMs);
  }

  return { nowMs, jumpedMs };
}
