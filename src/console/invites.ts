// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Clock } from '../message/clock.ts';

const lifetimeMs = 60 * 60_000;
const invitesMax = 100;

/**
 * One-time links by which an operator comes to register a passkey. Each is good once and for an
 * hour; only its hash is kept, in memory.
 */
export class Invites {
  readonly #clock: Clock;
  readonly #bytes: (count: number) => Uint8Array;
  readonly #invites = new Map<string, { readonly operator: string; readonly until: number }>();

  constructor(clock: Clock, bytes: (count: number) => Uint8Array) {
    this.#clock = clock;
    this.#bytes = bytes;
  }

  mint(operator: string): string {
    const token = Buffer.from(this.#bytes(24)).toString('base64url');
    const [oldest] = this.#invites.keys();
    if (this.#invites.size >= invitesMax && oldest !== undefined) this.#invites.delete(oldest);
    this.#invites.set(digestOf(token), { operator, until: this.#clock.nowMs() + lifetimeMs });
    return token;
  }

  /** The operator whom the link was made for; null when it was used, has ended or never was. */
  spend(token: string): string | null {
    const key = digestOf(token);
    const invite = this.#invites.get(key);
    this.#invites.delete(key);
    return invite !== undefined && this.#clock.nowMs() < invite.until ? invite.operator : null;
  }
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
