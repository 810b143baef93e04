// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Clock } from '../message/clock.ts';

/**
 * `registering`: came by a one-time link and may register a passkey, and nothing else. `waiting`: has
 * registered one that its operator has not endorsed. `open`: signed in.
 */
export type SessionState = 'registering' | 'waiting' | 'open';

export type Session = {
  readonly operator: string;
  readonly state: SessionState;
  /** Credential id of the passkey; null until one is registered. */
  readonly credential: string | null;
  readonly startedAt: number;
  readonly seenAt: number;
};

export const sessionLimits = {
  idleMs: 30 * 60_000,
  lifetimeMs: 12 * 3_600_000,
  registeringMs: 15 * 60_000,
  sessionsMax: 500,
} as const;

/**
 * Who is signed in. Only the hash of a session's secret is kept, and in memory: a restart signs
 * everybody out. What a session may do is asked of the mesh file at each request.
 */
export class Sessions {
  readonly #clock: Clock;
  readonly #bytes: (count: number) => Uint8Array;
  readonly #sessions = new Map<string, Session>();

  constructor(clock: Clock, bytes: (count: number) => Uint8Array) {
    this.#clock = clock;
    this.#bytes = bytes;
  }

  /** Opens a session and gives its secret, once. */
  open(operator: string, state: SessionState, credential: string | null): string {
    this.#forgetEnded();
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= sessionLimits.sessionsMax && oldest !== undefined) {
      this.#sessions.delete(oldest);
    }
    const secret = Buffer.from(this.#bytes(32)).toString('base64url');
    const nowMs = this.#clock.nowMs();
    this.#sessions.set(digestOf(secret), {
      operator, state, credential, startedAt: nowMs, seenAt: nowMs,
    });
    return secret;
  }

  /** The session of a secret, seen now; null when there is none or it has ended. */
  of(secret: string | null): Session | null {
    if (secret === null || secret.length > 128) return null;
    const key = digestOf(secret);
    const session = this.#sessions.get(key);
    if (session === undefined) return null;
    if (this.#hasEnded(session)) {
      this.#sessions.delete(key);
      return null;
    }
    const seen = { ...session, seenAt: this.#clock.nowMs() };
    this.#sessions.set(key, seen);
    return seen;
  }

  change(secret: string, change: Partial<Pick<Session, 'state' | 'credential'>>): void {
    const key = digestOf(secret);
    const session = this.#sessions.get(key);
    if (session !== undefined) this.#sessions.set(key, { ...session, ...change });
  }

  /** A passkey was endorsed: whoever registered it with this browser is signed in. */
  endorsed(credential: string): void {
    for (const [key, session] of this.#sessions) {
      if (session.credential === credential && session.state === 'waiting') {
        this.#sessions.set(key, { ...session, state: 'open' });
      }
    }
  }

  end(secret: string): void {
    this.#sessions.delete(digestOf(secret));
  }

  #hasEnded({ state, startedAt, seenAt }: Session): boolean {
    const nowMs = this.#clock.nowMs();
    const lifetimeMs = state === 'open' ? sessionLimits.lifetimeMs : sessionLimits.registeringMs;
    return !(nowMs < startedAt + lifetimeMs && nowMs < seenAt + sessionLimits.idleMs);
  }

  #forgetEnded(): void {
    for (const [key, session] of this.#sessions) {
      if (this.#hasEnded(session)) this.#sessions.delete(key);
    }
  }
}

function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
