// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '../adapters/clock-system.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject } from '../message/json.ts';
import type { CommandIo } from './check.ts';
import { askNode } from './control.ts';
import { stateDirectoryOf } from './state.ts';

type StatusOptions = { readonly state: string; readonly json: boolean };

/**
 * `maso recorder status`: what the running recorder says of itself, the age of the newest cosigned
 * checkpoint above all. Exit 1 when it cannot record or a witness refuses.
 */
export async function recorderStatus(options: StatusOptions, io: CommandIo): Promise<number> {
  const answer = await askNode(stateDirectoryOf(options.state, null), 'GET', '/v1/status');
  const recorder = answer.body['recorder'];
  if (!isJsonObject(recorder)) throw new Error('The node does not say how its recorder is.');
  const witnesses = Array.isArray(recorder['witnesses'])
    ? recorder['witnesses'].filter(isJsonObject)
    : [];
  if (options.json) io.out(JSON.stringify(recorder));
  else for (const line of describe(recorder, witnesses, systemClock().nowMs())) io.out(line);
  const refused = witnesses.some(({ code }) => code === 'RECORDER_WITNESS_REFUSED');
  return recorder['state'] === 'available' && !refused ? 0 : 1;
}

function describe(
  recorder: JsonObject,
  witnesses: readonly JsonObject[],
  nowMs: number,
): readonly string[] {
  const { state, code, entries, checkpointSize, checkpointAt, cosignedSize, cosignedAt } = recorder;
  const lines = [
    `recorder    ${String(state)}${typeof code === 'string' ? ` (${code})` : ''}, ${String(entries)} entries`,
    `checkpoint  ${String(checkpointSize)} entries, ${age(checkpointAt, nowMs)}`,
    witnesses.length === 0
      ? 'cosigned    no witness: nobody but the operator vouches for this log'
      : `cosigned    ${String(cosignedSize)} entries, ${age(cosignedAt, nowMs)}`,
  ];
  for (const { name, size, at, code: reason } of witnesses) {
    const said = typeof reason === 'string' ? `does not cosign (${reason})` : 'cosigns';
    lines.push(`witness     ${String(name)}: ${said}; ${String(size)} entries, ${age(at, nowMs)}`);
  }
  return lines;
}

function age(at: unknown, nowMs: number): string {
  if (typeof at !== 'number' || at === 0) return 'never';
  return `${Math.max(0, Math.round((nowMs - at) / 1000))} s ago`;
}
