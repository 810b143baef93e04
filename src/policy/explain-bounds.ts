// SPDX-License-Identifier: Apache-2.0
import type { Agent, BlastRadius, BoundWindow } from '../mesh/mesh.ts';
import type { Path } from '../mesh/yaml-source.ts';
import type { ExplainInput, Route, Rule } from './explain-rule.ts';

/** What bounds a request beyond its own content: caps, blast radius, retries, breakers, time. */
export function boundRules(input: ExplainInput, { executor }: Route): readonly Rule[] {
  const { placed, action, agent, mesh } = input;
  const { bounds } = mesh;
  const path: Path = ['security_mesh', 'actions', action.name, 'caps'];
  const section: Path = ['security_mesh', 'bounds'];
  const { breaker } = bounds;
  const capped = [...action.caps].flatMap(([name, cap]) => cap.windows.map((window) =>
    bound('POLICY_CAP_EXCEEDED', placed.at([...path, name]),
      `${name} of ${action.name} may sum up to ${sumText(window)}, over all executors`)));
  const taskSums = [...bounds.task].map(([impact, most]) =>
    bound('BOUNDS_EXCEEDED', placed.at([...section, 'task', impact]),
      `one task may sum up to ${most} ${impact}`));
  const asked = agent.name === executor.name ? [agent] : [agent, executor];
  return [
    ...capped,
    ...asked.flatMap((one) => agentRules(input, one)),
    ...taskSums,
    bound('BOUNDS_RETRIES_SPENT', placed.at([...section, 'task', 'retries']),
      `one task may try it again ${bounds.retries} times after a failure`),
    bound('BOUNDS_BREAKER_OPEN', placed.at([...section, 'breaker']),
      `${breaker.failures} failures of ${action.tool}.${action.operation}, or ` +
      `${breaker.agentFailures} of what ${agent.name} asks for, within ` +
      `${breaker.windowMs} ms stop it for ${breaker.openMs} ms`),
    ...timeRules(input, asked),
  ];
}

function agentRules({ placed }: ExplainInput, agent: Agent): readonly Rule[] {
  const path: Path = ['security_mesh', 'agents', agent.name, 'bounds'];
  const rules = (radius: BlastRadius, step: 'own' | 'subtree', whose: string): readonly Rule[] =>
    [...radius].flatMap(([impact, windows]) => windows.map((window) =>
      bound('BOUNDS_EXCEEDED', placed.at([...path, step, impact]),
        `${whose} may sum up to ${sumText(window)} ${impact}`)));
  return [
    ...rules(agent.bounds.own, 'own', agent.name),
    ...rules(agent.bounds.subtree, 'subtree', `${agent.name} and all who work for it`),
  ];
}

function timeRules({ placed, mesh }: ExplainInput, agents: readonly Agent[]): readonly Rule[] {
  const task = bound('POLICY_TASK_TIME_ENDED',
    placed.at(['security_mesh', 'bounds', 'task', 'duration_ms']),
    `nothing begins ${mesh.bounds.taskDurationMs} ms after the start of the task`);
  const boundaries = agents.flatMap((agent): readonly Rule[] => {
    const boundary = agent.oispec?.timeBoundary;
    const place = placed.inOISpec(agent.name, ['parameters', 'time_boundary']);
    if (boundary === undefined || place === null) return [];
    const { notBeforeMs: from, notAfterMs: until, durationMs } = boundary;
    const parts = [
      ...(from === null ? [] : [`from ${new Date(from).toISOString()}`]),
      ...(until === null ? [] : [`until ${new Date(until).toISOString()}`]),
      ...(durationMs === null ? [] : [`within ${durationMs} ms of the start of a task`]),
    ];
    if (parts.length === 0) return [];
    return [bound('POLICY_AGENT_TIME_ENDED', place, `${agent.name} acts ${parts.join(', ')}`)];
  });
  return [task, ...boundaries];
}

function sumText({ most, windowMs }: BoundWindow): string {
  const named = new Map([[60_000, 'a minute'], [3_600_000, 'an hour'], [86_400_000, 'a day']]);
  return `${most} in ${named.get(windowMs) ?? `${windowMs} ms`}`;
}

function bound(code: NonNullable<Rule['code']>, place: Rule['place'], text: string): Rule {
  return { control: 'bound', effect: 'depends', code, text, place };
}
