// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { Invites } from './invites.ts';
import { sessionLimits, Sessions } from './sessions.ts';

let nowMs = 0;
let minted = 0;
const clock = { nowMs: () => nowMs };
const bytes = (count: number): Uint8Array => new Uint8Array(count).fill((minted += 1));
let sessions: Sessions;

beforeEach(() => {
  nowMs = 1_000;
  sessions = new Sessions(clock, bytes);
});

describe('a session', () => {
  test('is found by its secret alone', () => {
    const secret = sessions.open('alice', 'open', 'c1');
    expect(sessions.of(secret)).toMatchObject({ operator: 'alice', state: 'open' });
    for (const other of [null, '', `${secret}x`, secret.toLowerCase(), 'a'.repeat(200)]) expect(sessions.of(other)).toBeNull();
  });

  test('ends when nobody uses it, and after its time whoever does', () => {
    const idle = sessions.open('alice', 'open', 'c1');
    nowMs += sessionLimits.idleMs;
    expect(sessions.of(idle)).toBeNull();
    const used = sessions.open('alice', 'open', 'c1');
    for (let passed = 0; passed < sessionLimits.lifetimeMs; passed += sessionLimits.idleMs - 1) {
      expect(sessions.of(used)).not.toBeNull();
      nowMs += sessionLimits.idleMs - 1;
    }
    expect(sessions.of(used)).toBeNull();
  });

  test('that waits opens with the endorsement of its own passkey only', () => {
    const waiting = sessions.open('alice', 'waiting', 'c1');
    const other = sessions.open('alice', 'registering', 'c2');
    sessions.endorsed('c2');
    expect([waiting, other].map((secret) => sessions.of(secret)?.state)).toEqual(['waiting', 'registering']);
    sessions.endorsed('c1');
    expect(sessions.of(waiting)?.state).toBe('open');
  });

  test('is over once it was ended', () => {
    const secret = sessions.open('alice', 'open', 'c1');
    sessions.end(secret);
    expect(sessions.of(secret)).toBeNull();
  });
});

describe('a one-time link', () => {
  test('is good once, for the operator that it was made for', () => {
    const invites = new Invites(clock, bytes);
    const token = invites.mint('alice');
    expect([invites.spend('x'.repeat(32)), invites.spend(token), invites.spend(token)]).toEqual([null, 'alice', null]);
  });

  test('ends after an hour', () => {
    const invites = new Invites(clock, bytes);
    const token = invites.mint('alice');
    nowMs += 3_600_000;
    expect(invites.spend(token)).toBeNull();
  });
});
