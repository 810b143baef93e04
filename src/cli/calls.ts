// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '../adapters/clock-system.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { signSettlement } from '../identity/settlement-statement.ts';
import { doubtfulCallDigest, type DoubtfulCall } from '../message/doubtful-call.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { CommandIo } from './check.ts';
import { askNode, keyOfOperator, sayRefused } from './control.ts';
import { stateDirectoryOf } from './state.ts';

type ListOptions = { readonly state: string; readonly json: boolean };

type SettleOptions = ListOptions & {
  readonly id: string;
  readonly done?: boolean;
  readonly notRun?: boolean;
  readonly as: string;
  readonly key?: string;
  readonly reason: string;
};

type ShownCall = DoubtfulCall & { readonly connected: boolean };

/** `maso calls list`: tool calls whose outcome nobody knows, with what to look for at the tool. */
export async function callsList(options: ListOptions, io: CommandIo): Promise<number> {
  const calls = await fetchCalls(stateDirectoryOf(options.state, null));
  if (options.json) {
    io.out(JSON.stringify({ calls }));
    return 0;
  }
  if (calls.length === 0) io.out('No call of a connected executor is in doubt.');
  for (const call of calls) for (const line of describe(call)) io.out(line);
  return 0;
}

/** `maso calls settle ID`: signs what a person found at the tool, here, and sends it. */
export async function callsSettle(options: SettleOptions, io: CommandIo): Promise<number> {
  const { id, json, reason } = options;
  if ((options.done === true) === (options.notRun === true) || reason === '') {
    return sayRefused('IDENTITY_SETTLEMENT_MALFORMED', json, io);
  }
  const stateDirectory = stateDirectoryOf(options.state, null);
  const matching = (await fetchCalls(stateDirectory)).filter(({ call }) => call.startsWith(id));
  const [found] = matching;
  if (found === undefined || matching.length > 1) return sayRefused('TOOL_CALL_UNKNOWN', json, io);
  const clock = systemClock();
  const { call, executor } = found;
  const end = options.done === true ? 'done' : 'not-run';
  const statement = {
    id: mintUlid(clock, systemRandom),
    executor,
    call,
    // Over what is shown here: a node that shows another call's facts gets no signature for this one.
    digest: doubtfulCallDigest(found),
    end,
    operator: options.as,
    at: clock.nowMs(),
    reason,
  } as const;
  const signed = signSettlement(statement, await keyOfOperator(stateDirectory, options.key));
  const answer = await askNode(stateDirectory, 'POST', '/v1/calls/settlements', { signed });
  if (answer.status !== 200) {
    return sayRefused(String(answer.body['code'] ?? 'IDENTITY_SETTLEMENT_MALFORMED'), json, io);
  }
  const state = String(answer.body['state']);
  if (json) io.out(JSON.stringify({ call, executor, end, state }));
  else {
    if (state === 'waiting') io.out(`${executor} is away; it is told when it is back.`);
    for (const line of describe(found)) io.out(line);
    if (state !== 'waiting') io.out(`Settled ${call} as ${end}. maso trace ${call} shows it.`);
  }
  return 0;
}

function describe(shown: ShownCall): readonly string[] {
  const { call, executor, requester, action, tool, operation, risk, task, since, code } = shown;
  return [
    `${call}  IN-DOUBT  ${risk}  ${action ?? 'no action'}  (${tool}.${operation})`,
    `  asked by   ${requester} of ${executor}${shown.connected ? '' : ', which is away'}`,
    `  since      ${new Date(since).toISOString()}`,
    `  because    ${code}`,
    `  task       ${task ?? 'none'}`,
  ];
}

async function fetchCalls(stateDirectory: string): Promise<readonly ShownCall[]> {
  const answer = await askNode(stateDirectory, 'GET', '/v1/calls');
  return (answer.body['calls'] ?? []) as unknown as readonly ShownCall[];
}
