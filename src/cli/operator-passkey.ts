// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../adapters/clock-system.ts';
import { endorsePasskey } from '../identity/operator-statement.ts';
import { canonicalize } from '../message/canonical-json.ts';
import { isJsonObject, type JsonObject } from '../message/json.ts';
import type { CommandIo } from './check.ts';
import { askNode, keyOfOperator, sayRefused } from './control.ts';
import { stateDirectoryOf } from './state.ts';

type PasskeyOptions = {
  readonly state: string;
  readonly as: string;
  readonly key?: string;
  readonly days: string;
  readonly json: boolean;
};

const dayMs = 86_400_000;
const lookEveryMs = 500;
const waitMs = 60 * 60_000;

/**
 * `maso operator passkey`: prints a one-time link, waits until a passkey was registered with it, and
 * signs with the operator's own key that it is theirs. The key never leaves this process.
 */
export async function operatorPasskey(options: PasskeyOptions, io: CommandIo): Promise<number> {
  const days = Number(options.days);
  if (!(days > 0 && days <= 365)) {
    io.err('--days wants a number from 1 to 365.');
    return 2;
  }
  const state = stateDirectoryOf(options.state, null);
  const key = await keyOfOperator(state, options.key);
  const before = new Set((await passkeysOf(state, options.as)).map(({ credential }) => credential));
  const answer = await askNode(state, 'POST', '/v1/console/links', { operator: options.as });
  if (answer.status !== 200) return sayRefused(String(answer.body['code']), options.json, io);
  io.out(options.json ? JSON.stringify({ link: answer.body['link'] }) : `Open once, within the hour: ${String(answer.body['link'])}`);
  io.err('waiting for the passkey (Ctrl-C to stop)');
  const made = await waitFor(() => passkeysOf(state, options.as), before);
  if (made === null) return sayRefused('CONSOLE_LINK_REFUSED', options.json, io);
  const at = systemClock().nowMs();
  const { credential, publicKey, site } = made;
  const signed = endorsePasskey({
    credential, publicKey, site, until: at + days * dayMs, operator: options.as, at, reason: '',
  }, key);
  const endorsed = await askNode(state, 'POST', '/v1/console/endorsements', { signed });
  if (endorsed.status !== 200) return sayRefused(String(endorsed.body['code']), options.json, io);
  const mark = createHash('sha256').update(canonicalize(publicKey)).digest('hex').slice(0, 16);
  io.out(options.json
    ? JSON.stringify({ credential, key: mark, until: at + days * dayMs })
    : `The passkey with key ${mark} signs for ${options.as} until ${new Date(at + days * dayMs).toISOString()}.`);
  return 0;
}

type Registered = { readonly credential: string; readonly publicKey: JsonObject; readonly site: string };

async function passkeysOf(state: string, operator: string): Promise<readonly Registered[]> {
  const path = `/v1/console/passkeys/${encodeURIComponent(operator)}`;
  const { body } = await askNode(state, 'GET', path);
  const listed = body['passkeys'];
  return (Array.isArray(listed) ? listed : []).flatMap((one: unknown) => {
    if (!isJsonObject(one) || !isJsonObject(one['publicKey'])) return [];
    const { credential, publicKey, site } = one;
    return [{ credential: String(credential), publicKey, site: String(site) }];
  });
}

/** The first passkey that was not there before; null after an hour. */
async function waitFor(
  look: () => Promise<readonly Registered[]>,
  before: ReadonlySet<string>,
): Promise<Registered | null> {
  const deadline = performance.now() + waitMs;
  while (performance.now() < deadline) {
    const made = (await look()).find(({ credential }) => !before.has(credential));
    if (made !== undefined) return made;
    await delay(lookEveryMs);
  }
  return null;
}
