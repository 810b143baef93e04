// SPDX-License-Identifier: Apache-2.0
import type { Channel } from '../message/channel.ts';
import type { Classification } from '../message/envelope.ts';

/** Probabilities at which the semantic firewall speaks up: 0 < escalateAt <= refuseAt <= 1. */
export type FirewallBand = {
  /** From here on a text is escalated. */
  readonly escalateAt: number;
  /** From here on a text is refused. */
  readonly refuseAt: number;
};

/** A model of the user's own: one that `maso firewall train` wrote, or an ONNX classifier. */
export type ModelChoice = {
  /** Absolute; one that ends in `.onnx` is a published classifier. */
  readonly file: string;
  /** Of the file; of an ONNX model the pin that `maso firewall pin` prints. */
  readonly sha256: string;
  /** Labels of an ONNX model that mean an attack; null where its own names say so. */
  readonly attackLabels: readonly string[] | null;
};

/** The section `firewall` of a mesh file. */
export type FirewallSettings = {
  /** `compact` is the model of this package, `none` no model by declaration. */
  readonly model: 'compact' | 'none' | ModelChoice;
  /** For all texts of one review together. */
  readonly timeoutMs: number;
  readonly band: FirewallBand;
  readonly channels: { readonly [channel in Channel]?: FirewallBand };
  readonly classifications: { readonly [classification in Classification]?: FirewallBand };
};

/** Set by `npm run bench:firewall`: see the section on the semantic firewall in docs/detection.md. */
export const defaultBand: FirewallBand = { escalateAt: 0.8, refuseAt: 0.97 };

/**
 * Bands at which of each kind of harmless text that the model never saw at most 5 % are held and 1 % refused: SQL,
 * hand-offs between agents, mail, writing about models. Texts written around words of attacks are more often held.
 * For the model of this package only, where the mesh file names no general band of its own.
 */
export const shippedChannelBands: FirewallSettings['channels'] = {
  user: { escalateAt: 0.83, refuseAt: 0.975 },
  tool_result: { escalateAt: 0.82, refuseAt: 0.985 },
  agent_message: { escalateAt: 0.87, refuseAt: 0.995 },
  document: { escalateAt: 0.96, refuseAt: 0.994 },
  email: { escalateAt: 0.82, refuseAt: 0.96 },
  web: { escalateAt: 0.93, refuseAt: 0.985 },
  code: { escalateAt: 0.86, refuseAt: 0.985 },
};

/** What a mesh file without a section `firewall` amounts to. */
export const shippedFirewall: FirewallSettings = {
  model: 'compact',
  timeoutMs: 50,
  band: defaultBand,
  channels: shippedChannelBands,
  classifications: {},
};

/**
 * The band for a text: that of its channel, else the general one; where its classification has one
 * too, whichever is stricter at either end.
 */
export function bandFor(
  settings: FirewallSettings,
  channel: Channel,
  classification: Classification,
): FirewallBand {
  const base = settings.channels[channel] ?? settings.band;
  return stricterBand(base, settings.classifications[classification] ?? base);
}

/** Whichever holds more, at either end. */
export function stricterBand(one: FirewallBand, other: FirewallBand): FirewallBand {
  return {
    escalateAt: Math.min(one.escalateAt, other.escalateAt),
    refuseAt: Math.min(one.refuseAt, other.refuseAt),
  };
}
