// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '../adapters/clock-system.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { signRecorderOrder } from '../identity/recorder-order.ts';
import type { RecorderAct } from '../identity/recorder-order.ts';
import { mintUlid } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { CommandIo } from './check.ts';
import { askNode, keyOfOperator, sayRefused } from './control.ts';
import { stateDirectoryOf } from './state.ts';

/** What every order to the recorder takes. */
export type OrderOptions = {
  readonly state: string;
  readonly as: string;
  readonly key?: string;
  readonly reason: string;
  readonly json: boolean;
};

export type GivenOrder =
  | { readonly ok: true; readonly id: string; readonly sequence: number; readonly erased: number }
  | { readonly ok: false; readonly code: string };

/** What the running node says of its recorder. Rejects when none runs. */
export async function recorderFacts(stateDirectory: string): Promise<JsonObject> {
  const answer = await askNode(stateDirectory, 'GET', '/v1/status');
  const recorder = answer.body['recorder'];
  if (isJsonObject(recorder)) return recorder;
  throw new Error('The node does not say how its recorder is.');
}

/** Signs an order here and gives it to the node; durable in the log when it resolves. */
export async function giveOrder(
  options: OrderOptions,
  order: {
    readonly act: RecorderAct;
    readonly subject: string;
    readonly digest?: string;
    readonly attached?: JsonValue;
  },
): Promise<GivenOrder> {
  const stateDirectory = stateDirectoryOf(options.state, null);
  const { act, subject, digest = '', attached = null } = order;
  if (options.reason === '') return { ok: false, code: 'IDENTITY_RECORDER_ORDER_MALFORMED' };
  const facts = await recorderFacts(stateDirectory);
  const clock = systemClock();
  const id = mintUlid(clock, systemRandom);
  const statement = {
    id,
    log: String(facts['log']),
    act,
    subject,
    digest,
    operator: options.as,
    at: clock.nowMs(),
    reason: options.reason,
  };
  const signed = signRecorderOrder(statement, await keyOfOperator(stateDirectory, options.key));
  const sent = { signed, attached };
  const answer = await askNode(stateDirectory, 'POST', '/v1/recorder/orders', sent);
  const { code, sequence, erased } = answer.body;
  return answer.status === 200
    ? { ok: true, id, sequence: Number(sequence), erased: Number(erased) }
    : { ok: false, code: String(code ?? 'IDENTITY_RECORDER_ORDER_MALFORMED') };
}

/** `maso recorder hold|release|erase SUBJECT`. */
export async function recorderOrder(
  act: 'hold' | 'release' | 'erase',
  options: OrderOptions & { readonly subject: string },
  io: CommandIo,
): Promise<number> {
  const { subject, json } = options;
  const given = await giveOrder(options, { act, subject });
  if (!given.ok) return sayRefused(given.code, json, io);
  const { id, sequence, erased } = given;
  if (json) io.out(JSON.stringify({ order: id, sequence, ...(act === 'erase' ? { erased } : {}) }));
  else for (const line of described(act, subject, given)) io.out(line);
  return 0;
}

function described(
  act: 'hold' | 'release' | 'erase',
  subject: string,
  { id, sequence, erased }: Extract<GivenOrder, { ok: true }>,
): readonly string[] {
  switch (act) {
    case 'hold':
      return [`${subject} is held: nothing of it is pruned. To end that: maso recorder release ${id}`];
    case 'release':
      return [`The hold ${subject} is released (entry ${sequence}).`];
    case 'erase':
      return [
        `${erased} key(s) of task ${subject} are destroyed (entry ${sequence}).`,
        'Copies of the key store made before, such as backups, are yours to destroy.',
      ];
    default:
      return act satisfies never;
  }
}
