// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { draft, memorySource, ulid } from '../../test/faults/recorder-fixture.ts';
import { smallLog } from '../../test/faults/small-log.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { nodeSha256 } from './directory.ts';
import { verifyLog } from './verify.ts';

const message = ulid(500);
const mandate = 'm'.repeat(43);

/** The steps of one action of an executor, as node and sidecar record them. */
const steps = {
  admitted: draft(1, { message, kind: 'message.admitted', actor: 'node' }),
  delivered: draft(2, { message, kind: 'message.delivered', actor: 'sidecar:payments' }),
  reviewed: draft(3, {
    message,
    kind: 'request.reviewed',
    actor: 'sidecar:payments',
    detail: { action: 'pay', risk: 'HIGH', mandate },
  }),
  intent: draft(4, {
    message,
    kind: 'tool.intent',
    actor: 'agent:payments',
    detail: { action: 'pay', risk: 'HIGH', mandate },
  }),
  outcome: draft(5, { message, kind: 'tool.outcome', actor: 'agent:payments' }),
} as const;

async function codesOf(...entries: readonly EntryDraft[]): Promise<readonly string[]> {
  const { log, key } = await smallLog(entries);
  const input = { source: memorySource(log), log: key.verifierKey(log.name), sha256: nodeSha256 };
  const report = await verifyLog(input);
  expect(report.ok).toBe(report.findings.every(({ level }) => level === 'warn'));
  return report.findings.map(({ code, sequence }) => `${code}@${sequence}`);
}

const { admitted, delivered, reviewed, intent, outcome } = steps;

describe('the completeness of a log', () => {
  it('is missed where a delivery was not admitted', async () => {
    expect(await codesOf(delivered, reviewed, intent, outcome)).toEqual([
      'VERIFY_DELIVERY_UNADMITTED@0',
    ]);
  });

  it('is missed where an action was not reviewed, refused, or reviewed by another', async () => {
    const unreviewed = await codesOf(admitted, delivered, intent, outcome);
    expect(unreviewed).toContain('VERIFY_CALL_UNREVIEWED@2');
    for (const changes of [
      { outcome: 'NO-GO' as const },
      { outcome: null },
      { outcome: 'ESCALATE' as const },
      { actor: 'sidecar:triage' },
    ]) {
      const found = await codesOf(admitted, delivered, { ...reviewed, ...changes }, intent);
      expect(found).toEqual(['VERIFY_CALL_UNREVIEWED@3']);
    }
    const late = await codesOf(admitted, intent, reviewed);
    expect(late).toContain('VERIFY_CALL_UNREVIEWED@1');
    const overruled = { ...reviewed, id: ulid(9), outcome: 'NO-GO' as const };
    expect(await codesOf(admitted, reviewed, overruled, intent)).toEqual(['VERIFY_CALL_UNREVIEWED@3']);
  });

  it('is missed where an action has no mandate, or another than the reviewed one', async () => {
    for (const other of [null, '', 'x'.repeat(43)]) {
      const detail = { ...intent.detail, mandate: other };
      const found = await codesOf(admitted, reviewed, { ...intent, detail }, outcome);
      expect(found).toEqual(['VERIFY_CALL_UNMANDATED@2']);
    }
  });

  it('is missed where a call ended that never began', async () => {
    expect(await codesOf(admitted, outcome)).toEqual(['VERIFY_CALL_UNANNOUNCED@1']);
    const doubt = { ...outcome, kind: 'tool.in-doubt' as const };
    expect(await codesOf(admitted, doubt)).toEqual(['VERIFY_CALL_UNANNOUNCED@1']);
  });

  it('is there for a repeated request that was answered from the first one, and from no other', async () => {
    const again = (repeats: string) => ({
      ...outcome, id: ulid(20), message: ulid(21), causedBy: [], detail: { repeats },
    });
    const first = String(intent.message);
    expect(await codesOf(admitted, delivered, reviewed, intent, outcome, again(first))).toEqual([]);
    expect(await codesOf(admitted, delivered, reviewed, intent, outcome, again(ulid(22))))
      .toEqual(['VERIFY_CALL_UNANNOUNCED@5']);
  });

  it('is there with every step in its place, and with an agent\'s own read', async () => {
    expect(await codesOf(admitted, delivered, reviewed, intent, outcome)).toEqual([]);
    const own = { ...intent, detail: { action: null, risk: 'LOW' } };
    expect(await codesOf(own, outcome)).toEqual([]);
    const medium = { action: 'note', risk: 'MEDIUM', mandate };
    const escalated = { ...reviewed, outcome: 'ESCALATE' as const, detail: medium };
    expect(await codesOf(admitted, escalated, { ...intent, detail: medium })).toEqual([]);
  });
});
