// SPDX-License-Identifier: Apache-2.0
import { stateAt } from '../recorder/state-at.ts';
import type { StateAt } from '../recorder/state-at.ts';
import type { CommandIo } from './check.ts';
import { timeOf, withIndex, type IndexedOptions } from './recorder-query.ts';

/** `maso recorder state --at DATE`: what was in force then, as the record tells it. Exit 2 for no date. */
export async function recorderState(
  options: IndexedOptions & { readonly at: string },
  io: CommandIo,
): Promise<number> {
  const at = timeOf(options.at);
  if (at === null || at === undefined) {
    io.err('--at wants a date.');
    return 2;
  }
  const state = await withIndex(options, io, (index) =>
    stateAt(at, (query, limit) => index.query(query, limit)));
  if (options.json) io.out(JSON.stringify(state));
  else for (const line of linesOf(state)) io.out(line);
  return 0;
}

function linesOf(state: StateAt): readonly string[] {
  const { mesh, policy, controls, phases, stops, breakers, revoked, alarms, holds } = state;
  const time = (ms: number): string => new Date(ms).toISOString();
  return [
    `at ${time(state.at)}`,
    mesh === null
      ? 'mesh      not started'
      : `mesh      ${mesh.running ? 'running' : 'stopped'}, ${String(mesh.mode)}, ` +
        `autonomy tier ${String(mesh.autonomyTier)} (entry ${mesh.sequence})`,
    ...(mesh === null || JSON.stringify(mesh.deselected) === '[]'
      ? [] : [`          deselected: ${JSON.stringify(mesh.deselected)}`]),
    policy === null
      ? 'policy    none on record'
      : `policy    version ${String(policy.version)}, ${String(policy.digest)} (entry ${policy.sequence})`,
    ...controls.map(({ control, version, outcome, at, sequence }) =>
      `control   ${control} ${version}: ${outcome} at ${time(at)} (entry ${sequence})`),
    ...(phases.length + stops.length === 0 ? ['pace      every unit in its primary phase'] : []),
    ...phases.map(({ unit, phase, code, by, sequence }) =>
      `pace      ${unit}: ${phase}${code === null ? '' : `, ${code}`}, by ${by} (entry ${sequence})`),
    ...stops.map(({ kind, unit, stage, sequence }) =>
      `pace      ${kind} of ${unit}: ${stage} (entry ${sequence})`),
    ...breakers.map(({ breaker, sequence }) => `breaker   ${breaker}: open (entry ${sequence})`),
    ...revoked.map(({ subject, sequence }) => `revoked   ${subject} (entry ${sequence})`),
    ...holds.map(({ subject, sequence }) => `held      ${subject} (entry ${sequence})`),
    ...alarms.map(({ code, at, sequence }) => `alarm     ${code} at ${time(at)} (entry ${sequence})`),
  ];
}
