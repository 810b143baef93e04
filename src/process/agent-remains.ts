// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeOwnerOnly } from '../adapters/credential-file.ts';
import {
  isRunning, processesOfUser, processesWithVariable, stampOf,
} from '../adapters/process-stamp.ts';
import { ControlError } from '../control/control-error.ts';

/** In the sidecar's state directory. */
export const agentProcessFile = 'agent-process.json';

export type Remains = {
  /** Where the sidecar remembers the agent process that it started last. */
  readonly file: string;
  /** What that process was given as `MASO_SIDECAR`, and its children have from it. */
  readonly address: string;
  /** The user of this agent and of nobody else; null when it shares one. */
  readonly ownUid: number | null;
};

const stamp = z.strictObject({ pid: z.int().min(2), started: z.string().max(32) });
const roundsMax = 100;
const roundMs = 20;

/** Remembers an agent process, so that the next start of this sidecar can end it. */
export async function rememberAgent(file: string, pid: number): Promise<void> {
  const known = stampOf(pid);
  if (known !== null) await writeOwnerOnly(file, Buffer.from(JSON.stringify(known)));
}

/**
 * Ends what is left of earlier agent processes, so that no two incarnations run side by side: one
 * that a killed sidecar left behind has read what the new one has not. Looked for are the process
 * on file with its group, all that have this agent's socket in their environment, and everything
 * under the agent's own user, which even a process that hides its origin cannot leave. Rejects with
 * `ControlError` CONTROL_AGENT_LINGERS when one cannot be ended.
 */
export async function endRemains(remains: Remains): Promise<number> {
  const ended = new Set<number>();
  for (let round = 0; round < roundsMax; round += 1) {
    const left = await leftBehind(remains);
    if (left.length === 0) return ended.size;
    for (const pid of left) {
      ended.add(pid);
      kill(pid);
    }
    await new Promise((resolve) => setTimeout(resolve, roundMs));
  }
  throw new ControlError('CONTROL_AGENT_LINGERS', 'An earlier process of the agent cannot be ended.');
}

async function leftBehind({ file, address, ownUid }: Remains): Promise<readonly number[]> {
  const found = new Set(processesWithVariable('MASO_SIDECAR', address));
  const last = await lastAgent(file);
  if (last !== null && isRunning(last)) found.add(last.pid);
  if (ownUid !== null) for (const pid of processesOfUser(ownUid)) found.add(pid);
  found.delete(process.pid);
  return [...found].filter((pid) => stampOf(pid) !== null);
}

async function lastAgent(file: string): Promise<z.output<typeof stamp> | null> {
  try {
    return stamp.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    // Absent at the first start; damaged, the other two signs remain.
    return null;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Ended meanwhile, or another user's: the next round tells.
    return;
  }
}
