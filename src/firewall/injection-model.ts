// SPDX-License-Identifier: Apache-2.0
import type { Channel } from '../message/channel.ts';
import type { FirewallCode } from './codes.ts';

export type { Channel } from '../message/channel.ts';

export type InjectionQuestion = {
  /** One whole string of a payload; at most as long as the mesh allows a message to be. */
  readonly text: string;
  readonly channel: Channel;
};

/**
 * `ok`: the probability, 0 to 1, that the text tries to redirect, jailbreak or extract from the
 * model that reads it in that channel. `unavailable`: the model cannot say, and `reason` tells an
 * operator why without quoting the text.
 */
export type InjectionAnswer =
  | { readonly status: 'ok'; readonly probability: number; readonly version: string }
  | {
      readonly status: 'unavailable';
      readonly reason: string;
      /** Absent is FIREWALL_UNAVAILABLE. */
      readonly code?: FirewallCode;
    };

/**
 * A model that reads for meaning. It advises: no guarantee rests on it, it may be wrong both ways.
 *
 * `classify` answers at once, or resolves and does not reject; a caller treats what is thrown or
 * rejected as `unavailable` all the same, and does not wait longer than its own deadline. What
 * answers at once keeps the loop for a few milliseconds at most. Calls may overlap. It keeps nothing of the
 * text, writes it nowhere and sends it nowhere that the operator has not configured. An answer
 * outside 0 to 1 is malformed and refused by the caller.
 *
 * `configured` is false only for a model that is declared absent: then the firewall says GO and its
 * version says `none`. A configured model that does not answer is a failure and fails closed.
 */
export interface InjectionModel {
  readonly name: string;
  readonly configured: boolean;
  classify(question: InjectionQuestion): InjectionAnswer | Promise<InjectionAnswer>;
}

/** No model, by declaration: every verdict says `none (not configured)`. */
export const noInjectionModel: InjectionModel = {
  name: 'none',
  configured: false,
  classify: async () => ({ status: 'unavailable', reason: 'not configured' }),
};
