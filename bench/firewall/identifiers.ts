// SPDX-License-Identifier: Apache-2.0
import { keyKinds, requestWith, tokenAttacks } from '../../src/firewall/identifier-fixture.ts';
import type { CompactModel } from '../../src/firewall/compact-model.ts';
import { channelReadAs } from '../../src/firewall/read-as.ts';
import { textsToRead } from '../../src/firewall/texts-to-read.ts';
import { seededDraw } from '../../src/firewall/training/seeded-random.ts';
import { channels } from '../../src/message/channel.ts';
import type { Channel } from '../../src/message/channel.ts';
import type { JsonValue } from '../../src/message/json.ts';
import { bandFor, shippedFirewall } from '../../src/mesh/firewall-settings.ts';
import { textsOf } from '../../src/scanner/structure.ts';

const keysOfKind = 200;
const seed = 20_261_122;

type Held = { readonly escalated: number; readonly refused: number };

/**
 * What short requests come to, by channel, under keys that programs made, and under orders written as
 * one token: counts that are held (escalated or refused), and refused.
 */
export function measureIdentifiers(model: CompactModel) {
  const draw = seededDraw(seed);
  const requests = Object.values(keyKinds).flatMap((make) =>
    Array.from({ length: keysOfKind }, () => requestWith(make(draw), draw)));
  const attacks = tokenAttacks(draw).map(({ token }) => requestWith(token, draw));
  const held = (values: readonly JsonValue[], channel: Channel): Held => {
    const judged = values.map((value) => {
      const texts = textsToRead(textsOf(value));
      const readAs = channelReadAs(channel, texts);
      const { escalateAt, refuseAt } = bandFor(shippedFirewall, readAs, 'internal');
      const worst = Math.max(0, ...texts.map((text) => model.read(text, readAs).probability));
      return { isHeld: worst >= escalateAt, isRefused: worst >= refuseAt };
    });
    return {
      escalated: judged.filter(({ isHeld }) => isHeld).length,
      refused: judged.filter(({ isRefused }) => isRefused).length,
    };
  };
  return {
    requests: requests.length,
    attacks: attacks.length,
    byChannel: Object.fromEntries(channels.map((channel) =>
      [channel, { harmless: held(requests, channel), attacks: held(attacks, channel) }])),
  };
}
