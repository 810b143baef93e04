// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, statSync } from 'node:fs';

/** A process, told apart from a later one that got its number: when it started, in clock ticks. */
export type ProcessStamp = { readonly pid: number; readonly started: string };

/** The stamp of a running process; null when there is none, or the system has no `/proc`. */
export function stampOf(pid: number): ProcessStamp | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name stands in brackets and may hold anything; state is field 3, start time field 22.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    const started = fields[19];
    if (started === undefined || state === 'Z' || state === 'X') return null;
    return { pid, started };
  } catch {
    // It ended, or was never there.
    return null;
  }
}

/** True while the very process of the stamp runs. */
export function isRunning(stamp: ProcessStamp): boolean {
  return stampOf(stamp.pid)?.started === stamp.started;
}

/** Every process of this user. */
export function processesOfUser(uid: number): readonly number[] {
  return processes().filter((pid) => {
    try {
      return statSync(`/proc/${pid}`).uid === uid && stampOf(pid) !== null;
    } catch {
      // Ended meanwhile.
      return false;
    }
  });
}

/** Every process that was started with this variable in its environment. */
export function processesWithVariable(name: string, value: string): readonly number[] {
  const wanted = `${name}=${value}`;
  return processes().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(wanted);
    } catch {
      // Ended meanwhile, or another user's, which this one could not end either.
      return false;
    }
  });
}

function processes(): readonly number[] {
  try {
    return readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).map(Number);
  } catch {
    // No /proc: nothing can be told of other processes here.
    return [];
  }
}
