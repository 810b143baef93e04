// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { readOperatorKey } from '../identity/operator-key.ts';
import { RevocationList, type RevocationChange } from '../identity/revocation.ts';
import { signRevocation, type RevocationStatement } from '../identity/revocation-statement.ts';
import { Turns } from '../oversight/turns.ts';
import { RecorderError, type EntryDraft } from '../recorder/entry.ts';
import { applyRevocation, recordUnrecorded } from './revocations.ts';
import type { RevocationsContext, RevocationStore } from './revocations.ts';

const vectors = new URL('../../test/vectors/signed-keys.json', import.meta.url);
const { keys } = JSON.parse(readFileSync(vectors, 'utf8'));
const alice = readOperatorKey(keys.triage);
const mallory = readOperatorKey(keys.impostor);
const ids = ['01K74F0Z00ABCDEFGHJKMNPQRS', '01K74F0Z01ABCDEFGHJKMNPQRS', '01K74F0Z02ABCDEFGHJKMNPQRS'];
const mesh = sampleMesh();
const spiffeId = `spiffe://${mesh.trustDomain}/agent/payments/one`;

class MemoryStore implements RevocationStore {
  readonly kept: RevocationChange[] = [];
  readonly onRecord = new Set<number>();
  fails = false;

  load(nowMs: number): RevocationList {
    return new RevocationList(this.kept, this.kept.length, nowMs);
  }

  byId(id: string): RevocationChange | null {
    return this.kept.find((change) => change.id === id) ?? null;
  }

  async add(changes: readonly RevocationChange[]): Promise<void> {
    if (this.fails) throw new Error('disk');
    this.kept.push(...changes);
  }

  unrecorded(): readonly RevocationChange[] {
    return this.kept.filter((change) => !this.onRecord.has(change.version));
  }

  async recorded(version: number): Promise<void> {
    this.onRecord.add(version);
  }
}

let store: MemoryStore;
let entries: EntryDraft[];
let applied: RevocationChange[];
let recorderFails: boolean;
let context: RevocationsContext;
let steps: string[];

beforeEach(() => {
  store = new MemoryStore();
  entries = [];
  applied = [];
  steps = [];
  recorderFails = false;
  let count = 0;
  context = {
    mesh,
    list: store.load(0),
    store,
    recorder: {
      record: async (drafts) => {
        if (recorderFails) throw new RecorderError('RECORDER_NOT_DURABLE', 'test');
        steps.push('recorded');
        entries.push(...drafts);
        return drafts.map((_draft, sequence) => ({ sequence }));
      },
    },
    clock: { nowMs: () => 1_760_000_000_000 },
    operators: new Map([['alice', { name: 'alice', publicKey: alice.publicJwk }]]),
    mintId: () => `id-${++count}`,
    turns: new Turns(),
    applied: (change) => {
      steps.push(`applied after ${store.kept.length} kept`);
      applied.push(change);
    },
  };
});

function signed(change: Partial<RevocationStatement> = {}, key = alice): string {
  const statement: RevocationStatement = {
    id: ids[0] ?? '',
    op: 'revoke',
    target: { kind: 'agent', value: 'payments' },
    lifts: null,
    operator: 'alice',
    at: 1_760_000_000_000,
    reason: 'odd requests',
    ...change,
  };
  return signRevocation(statement, key);
}

const codeOf = async (statement: string): Promise<string | null> => {
  const answer = await applyRevocation(statement, context);
  return answer.ok ? null : answer.code;
};

describe('a revocation', () => {
  it.each([
    ['no statement', () => 'nonsense', 'IDENTITY_REVOCATION_MALFORMED'],
    ['signed by nobody known', () => signed({ operator: 'eve' }), 'IDENTITY_OPERATOR_UNKNOWN'],
    ['signed with another key', () => signed({}, mallory), 'IDENTITY_DECISION_SIGNATURE_INVALID'],
    [
      'of an unknown agent',
      () => signed({ target: { kind: 'agent', value: 'nobody' } }),
      'CONTROL_AGENT_UNKNOWN',
    ],
    [
      'of an instance of an unknown agent',
      () => signed({ target: { kind: 'instance', value: `spiffe://${mesh.trustDomain}/agent/no/1` } }),
      'CONTROL_AGENT_UNKNOWN',
    ],
    [
      'of a node',
      () => signed({ target: { kind: 'instance', value: `spiffe://${mesh.trustDomain}/node/main` } }),
      'IDENTITY_REVOCATION_MALFORMED',
    ],
    [
      'lifted that never was',
      () => signed({ op: 'reinstate', lifts: ids[1] ?? '' }),
      'CONTROL_REVOCATION_UNKNOWN',
    ],
  ])('%s is refused, on record, and changes nothing', async (_what, statement, code) => {
    expect(await codeOf(statement())).toBe(code);
    expect(entries).toMatchObject([{ kind: 'identity.refused', code }]);
    expect(context.list.version).toBe(0);
    expect(applied).toEqual([]);
  });

  it('a decision on a held action is no revocation', async () => {
    const { signOperatorDecision } = await import('../identity/operator-signature.ts');
    const decision = { approval: 'a', digest: 'A'.repeat(43), decision: 'deny', operator: 'alice', at: 1, reason: '' } as const;
    expect(await codeOf(signOperatorDecision(decision, alice))).toBe('IDENTITY_REVOCATION_MALFORMED');
  });

  it('is kept, then holds, then is on record, before it is answered', async () => {
    const answer = await applyRevocation(signed(), context);
    expect(answer).toMatchObject({ ok: true, change: { version: 1 } });
    expect(steps).toEqual(['applied after 1 kept', 'recorded']);
    expect(entries).toMatchObject([
      { kind: 'identity.revoked', actor: 'operator:alice', detail: { agent: 'payments', reason: 'odd requests' } },
    ]);
    expect(context.list.isNameRevoked('payments')).toBe(true);
  });

  it('that is not durable does not hold', async () => {
    store.fails = true;
    expect(await codeOf(signed())).toBe('CONTROL_REVOCATION_UNAVAILABLE');
    expect(context.list.isNameRevoked('payments')).toBe(false);
    store.fails = false;
    expect(await codeOf(signed())).toBeNull();
    expect(context.list.version).toBe(1);
  });

  it('that cannot be recorded holds, says so, and is recorded when sent again', async () => {
    recorderFails = true;
    expect(await codeOf(signed())).toBe('CONTROL_REVOCATION_UNRECORDED');
    expect(context.list.isNameRevoked('payments')).toBe(true);
    recorderFails = false;
    expect(await codeOf(signed())).toBeNull();
    expect(context.list.version).toBe(1);
    expect(entries).toHaveLength(1);
  });

  it('that a crash kept out of the log is recorded at the next start', async () => {
    recorderFails = true;
    await applyRevocation(signed(), context);
    recorderFails = false;
    await recordUnrecorded(context);
    await recordUnrecorded(context);
    expect(entries.map(({ kind }) => kind)).toEqual(['identity.revoked']);
  });

  it('sent again changes nothing, even after it was lifted', async () => {
    await applyRevocation(signed(), context);
    await applyRevocation(signed({ id: ids[1] ?? '', op: 'reinstate', lifts: ids[0] ?? '' }), context);
    expect(await codeOf(signed())).toBeNull();
    expect(context.list.isNameRevoked('payments')).toBe(false);
    expect(context.list.version).toBe(2);
  });

  it('cannot borrow the id of another statement', async () => {
    await applyRevocation(signed(), context);
    const other = signed({ target: { kind: 'agent', value: 'triage' } });
    expect(await codeOf(other)).toBe('IDENTITY_REVOCATION_MALFORMED');
    expect(context.list.isNameRevoked('triage')).toBe(false);
  });

  it('of an instance is final', async () => {
    const target = { kind: 'instance', value: spiffeId } as const;
    await applyRevocation(signed({ target }), context);
    const lift = signed({ id: ids[1] ?? '', op: 'reinstate', target, lifts: ids[0] ?? '' });
    expect(await codeOf(lift)).toBe('CONTROL_REVOCATION_FINAL');
    expect(context.list.isSenderRevoked('payments', spiffeId)).toBe(true);
  });

  it('is not lifted by a permission to lift an earlier one', async () => {
    const lift = signed({ id: ids[1] ?? '', op: 'reinstate', lifts: ids[0] ?? '' });
    await applyRevocation(signed(), context);
    await applyRevocation(signed({ id: ids[2] ?? '' }), context);
    expect(await codeOf(lift)).toBe('CONTROL_REVOCATION_UNKNOWN');
    expect(context.list.isNameRevoked('payments')).toBe(true);
  });
});
