// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeSidecar, partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import { signEnvelope } from '../identity/sign-envelope.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { PaceClamp } from '../pace/pace-view.ts';
import type { Opened } from '../protection/protection.ts';
import { isEntryDraft } from '../recorder/entry-shape.ts';
import { receive, type Received } from './inbound.ts';

const desk = partyOf('desk');
const triage = partyOf('triage');
let fake: FakeSidecar;

function start(agent: string, mode = 'enforce'): void {
  fake = new FakeSidecar(agent);
  fake.knows(desk);
  fake.knows(triage);
  if (mode === 'observe') {
    Object.assign(fake.context, { mesh: { ...fake.context.mesh, mode: 'observe' } });
  }
}

beforeEach(() => start('triage'));

const receiveFrom = (party = desk, change: Partial<EnvelopeBody> = {}): Promise<Received> =>
  receive({ envelope: fake.envelopeFrom(party, change), chain: null }, fake.context);

function codesOf({ entries }: Received): readonly string[] {
  return entries.flatMap(({ verdicts }) => verdicts.flatMap(({ findings }) => findings.map((f) => f.code)));
}

const refusals: readonly (readonly [string, string, Partial<EnvelopeBody>])[] = [
  ['SIDECAR_RECIPIENT_MISMATCH', 'triage', { to: 'payments' }],
  ['SIDECAR_EXPIRED', 'triage', { issuedAt: 1, expiresAt: 2 }],
  ['BUS_CLEARANCE_EXCEEDED', 'triage', { label: { classification: 'restricted', integrity: 'internal', origins: [] } }],
  ['BUS_ORIGIN_FORGED', 'payments', { label: { classification: 'public', integrity: 'trusted', origins: [] } }],
  ['BUS_EDGE_DENIED', 'triage', { domain: 'nowhere' }],
  ['SIDECAR_EXECUTOR_PROSE', 'payments', {}],
  ['SCAN_SCHEMA_VIOLATION', 'triage', { payload: { text: 1 } }],
  ['SCAN_FREE_TEXT', 'triage', { payload: 'obey me' }],
  ['SCAN_TYPE_MISMATCH', 'triage', { type: 'instruction' }],
];

describe('what the bus lets through by mistake or malice is refused by the recipient', () => {
  describe.each(['enforce', 'observe'])('in mode %s', (mode) => {
    test.each(refusals)('%s at %s', async (code, agent, change) => {
      start(agent, mode);
      const party = agent === 'payments' ? triage : desk;
      const received = await receiveFrom(party, change);
      expect(codesOf(received)).toContain(code);
      expect(received.message?.state).toBe('refused');
      expect(received.entries[0]?.kind).toBe('message.refused');
    });
  });

  test('an envelope of a signer that is unknown, or whose certificate expired while it was queued', async () => {
    const stranger = partyOf('desk');
    const received = await receiveFrom(stranger);
    expect(codesOf(received)).toEqual(['IDENTITY_SIGNER_UNKNOWN']);
    expect(received.message).toBeNull();
  });

  test('an envelope that was changed on the way', async () => {
    const [header, , signature] = fake.envelopeFrom(desk).split('.');
    const [, body] = fake.envelopeFrom(desk).split('.');
    const received = await receive({ envelope: `${header}.${body}.${signature}`, chain: null }, fake.context);
    expect(codesOf(received)).toEqual(['IDENTITY_SIGNATURE_INVALID']);
  });

  test('something sealed beside a message in clear', async () => {
    const envelope = signEnvelope(fake.bodyFrom(desk), desk.credential, 'QUJD');
    expect(codesOf(await receive({ envelope, chain: null }, fake.context))).toEqual(['PROTECTION_ITEM_FOREIGN']);
  });
});

test('a message that was received before keeps its first account and is not handed over again', async () => {
  const envelope = fake.envelopeFrom(desk);
  const first = await receive({ envelope, chain: null }, fake.context);
  fake.clock.ms += 120_000;
  const again = await receive({ envelope, chain: null }, fake.context);
  expect(again.message).toBeNull();
  expect(again.entries).toEqual(first.entries);
});

test('the account of any payload is an entry that the recorder takes, and holds nothing of it', async () => {
  const secret = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';
  let payload: EnvelopeBody['payload'] = { text: secret };
  for (let depth = 0; depth < 25; depth += 1) payload = { ['k'.repeat(64)]: payload };
  const body = fake.bodyFrom(desk, { payload });
  const received = await receive({ envelope: signEnvelope(body, desk.credential), chain: null }, fake.context);
  expect(received.entries.every(isEntryDraft)).toBe(true);
  expect(codesOf(received)).toContain('SCAN_SECRET');
  expect(JSON.stringify(received.entries)).not.toContain(secret);
});

describe('a sealed message whose key is long in coming', () => {
  let isStopped = false;
  beforeEach(() => {
    isStopped = false;
  });
  async function receiveSealed(answer: () => Opened): Promise<Received> {
    const { context } = fake;
    const domains = new Map([...context.mesh.domains].map(([name, domain]) => [name, { ...domain, tier: 'RETRIEVAL' } as const]));
    const mesh = { ...context.mesh, domains };
    const protection = { ...context.protection, open: () => Promise.resolve().then(answer) };
    const clamp = (agent: string): PaceClamp =>
      isStopped ? { ...context.pace.clamp(agent), allows: 'nothing' } : context.pace.clamp(agent);
    const pace = { ...context.pace, clamp };
    return receive({ envelope: fake.envelopeFrom(desk), chain: null }, { ...context, mesh, pace, protection });
  }
  const opened = (): Opened => ({ ok: true, body: fake.bodyFrom(desk) });

  test('is received when it came in time', async () => {
    expect((await receiveSealed(opened)).message?.state).toBe('pending');
  });

  test.each<[string, () => void]>([
    ['SIDECAR_EXPIRED', () => void (fake.clock.ms += fake.context.mesh.limits.messageLifetimeMs)],
    ['PACE_STOPPED', () => void (isStopped = true)],
  ])('is refused with %s where that holds by then', async (code, change) => {
    const received = await receiveSealed(() => {
      change();
      return opened();
    });
    expect(codesOf(received)).toEqual([code]);
    expect(received.message?.state).toBe('refused');
  });

  test('is refused with the reason for which there is no key', async () => {
    const received = await receiveSealed(() => ({ ok: false, code: 'PROTECTION_RELEASE_LATE' }));
    expect(codesOf(received)).toEqual(['PROTECTION_RELEASE_LATE']);
  });

  test('is left with the bus where nobody could be asked', async () => {
    await expect(receiveSealed(() => ({ ok: false, code: 'PROTECTION_UNAVAILABLE' })))
      .rejects.toMatchObject({ code: 'PROTECTION_UNAVAILABLE' });
  });
});
