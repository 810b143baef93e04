// SPDX-License-Identifier: Apache-2.0
import type { Agent, Mesh } from '../mesh/mesh.ts';
import { ulidTimeMs } from '../message/identifiers.ts';
import { finding, type Finding } from '../review/verdict.ts';
import type { PolicyCode } from './codes.ts';

/**
 * Whether time is left to begin anything: a task's box and the OISpec's `time_boundary` of every
 * agent that takes part (EC-2.9). A task's age is in its id, which sidecars mint, so that it needs
 * no memory and no restart makes it younger. At the very end nothing begins any more; an agent's
 * beginning, unlike its end, is given the clock's skew of another host.
 */
export function timeFindings(
  mesh: Mesh,
  agents: readonly (Agent | undefined)[],
  task: string,
  nowMs: number,
): readonly Finding[] {
  const skewMs = mesh.limits.clockSkewMs;
  const startedMs = ulidTimeMs(task);
  const found: Finding[] = [];
  if (startedMs === null || !(startedMs <= nowMs + skewMs)) {
    found.push(refusal('POLICY_TASK_TIME_INVALID', 'time/task'));
  } else if (!(nowMs < startedMs + mesh.bounds.taskDurationMs)) {
    found.push(refusal('POLICY_TASK_TIME_ENDED', 'time/task'));
  }
  for (const agent of agents) {
    const boundary = agent?.oispec?.timeBoundary;
    if (agent === undefined || boundary === undefined) continue;
    const { notBeforeMs, notAfterMs, durationMs } = boundary;
    const inTime = (notBeforeMs === null || nowMs + skewMs >= notBeforeMs) &&
      (notAfterMs === null || nowMs < notAfterMs) &&
      (durationMs === null || (startedMs !== null && nowMs < startedMs + durationMs));
    if (!inTime) found.push(refusal('POLICY_AGENT_TIME_ENDED', `time/agent/${agent.name}`));
  }
  return found;
}

function refusal(code: PolicyCode, rule: string): Finding {
  return finding(code, rule);
}
