// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import type { EntryKind, RecordedEntry } from '../recorder/entry.ts';
import { EntryView, undeclared } from './entry-view.ts';
import { linkOf, traceIdOfTask } from './trace-ids.ts';

const task = '01JDA2K7Q0000000000000TASK';
const message = '01JDA2K7Q00000000000000MSG';
const reply = '01JDA2K7Q000000000000REP1Y';
const atMs = 1_800_000_012_345;
const clear = [['name: billing, tier', 'name: billing, metadata_masking: false, tier']] as const;
const masking = [] as const;

let sequence = 0;
function entryOf(kind: EntryKind, change: Partial<RecordedEntry> = {}): RecordedEntry {
  sequence += 1;
  return {
    kind, id: `${message}.${kind}`, at: atMs, actor: 'node', task, message, causedBy: [message],
    outcome: 'GO', code: null, verdicts: [], tookUs: 100, detail: {}, sequence, recordedAt: atMs + 5,
    ...change,
  };
}

function view(edits: readonly (readonly [string, string])[] = clear): EntryView {
  return new EntryView({
    mesh: sampleMesh(edits),
    log: 'log-of-a-test',
    key: new Uint8Array(32).fill(7),
    isCode: (code) => code === 'BUS_EDGE_DENIED',
  });
}

const admitted = (detail = {}): RecordedEntry =>
  entryOf('message.admitted', {
    detail: { from: 'triage', to: 'payments', schema: 'invoice/1', domain: 'billing', ...detail },
  });

describe('what leaves of an entry', () => {
  test('is no name that the mesh file does not declare', () => {
    const secret = 'akia-not-a-name';
    const exported = view().export(admitted({
      from: secret, to: secret, schema: secret, domain: secret, action: secret, tool: secret,
      operation: secret, requester: secret, agent: secret, operator: secret, type: secret,
      risk: secret, isolation: secret, source: secret, indicator: secret, approval: secret,
      reason: secret, digest: secret, key: secret, hop: 4_915_112_345_678, note: secret,
      label: { classification: secret, integrity: secret, origins: [secret] },
    }));
    expect(JSON.stringify(exported)).not.toContain('akia');
    expect(JSON.stringify(exported)).not.toContain('4915112345678');
    expect(exported.facts.to).toBe(undeclared);
  });

  test('is no code, control, path, rule, version or digest that a writer made up', () => {
    const exported = view().export(entryOf('message.refused', {
      outcome: 'NO-GO',
      code: 'AKIA_SECRET',
      actor: 'agent:akia-secret',
      id: 'akia-secret',
      verdicts: [{
        outcome: 'NO-GO', control: 'akia-secret' as never, version: 'akia-secret', tookUs: 1e18,
        findings: [
          {
            code: 'AKIA_SECRET', rule: 'akia-secret', path: '/akia-secret', start: 1, end: 2,
            digest: 'akia-secret',
          },
        ],
      }],
    }));
    expect(JSON.stringify(exported).toLowerCase()).not.toContain('akia');
    expect(exported.code).toBe(undeclared);
    expect(exported.verdicts[0]?.tookUs).toBe(86_400_000_000);
  });

  test('is not the time of a writer whose clock is days away', () => {
    const exported = view().export(entryOf('message.admitted', { at: 4_915_112_345_678 }));
    expect(exported.atMs).toBe(atMs + 5);
  });

  test('is what the mesh file and the tables know', () => {
    const exported = view().export(admitted({ type: 'data', hop: 2 }));
    expect(exported).toMatchObject({
      log: 'log-of-a-test',
      atMs,
      masked: false,
      traceId: traceIdOfTask(task),
      facts: {
        task, message, from: 'triage', to: 'payments', schema: 'invoice/1', domain: 'billing',
        type: 'data', hop: 2,
      },
    });
  });
});

describe('a domain that masks metadata', () => {
  test('shows neither agents nor ids nor exact times, on any entry of the task', () => {
    const masked = view(masking);
    const entries = [
      entryOf('message.outbound', {
        actor: 'agent:triage', detail: { to: 'payments', domain: 'billing', schema: 'invoice/1' },
      }),
      admitted(),
      entryOf('message.delivered', { actor: 'sidecar:payments', detail: { from: 'triage' } }),
      entryOf('tool.outcome', { actor: 'agent:payments', message: reply, detail: { tool: 'bank' } }),
      entryOf('approval.held', { message: null, detail: { approval: reply, requester: 'triage' } }),
    ];
    for (const entry of entries) {
      const exported = masked.export(entry);
      const text = JSON.stringify(exported);
      expect(exported.masked).toBe(true);
      expect(text).not.toMatch(/triage|payments|01JDA/);
      expect(exported.atMs % 60_000).toBe(0);
      expect(exported.recordedAtMs % 60_000).toBe(0);
      expect(exported.traceId).not.toBe(traceIdOfTask(task));
      expect(exported.facts.task).toBe(undefined);
    }
    const traces = new Set(entries.map((entry) => masked.export(entry).traceId));
    expect(traces.size).toBe(1);
  });

  test('masks what nobody has said the domain of, and refusals without a message', () => {
    const masked = view(masking);
    expect(masked.export(entryOf('tool.outcome', { task: reply, message: reply })).masked).toBe(true);
    const unproven = entryOf('message.refused', { task: null, message: null });
    expect(masked.export(unproven).masked).toBe(true);
  });

  test('is not unmasked by what a sidecar says of another domain', () => {
    const masked = view(masking);
    masked.export(admitted());
    const lie = entryOf('message.delivered', {
      actor: 'sidecar:triage', detail: { domain: 'elsewhere', from: 'triage' },
    });
    expect(masked.export(lie).masked).toBe(true);
  });

  test('leaves entries that are about no message as they are', () => {
    const opened = entryOf('session.opened', { task: null, message: null, actor: 'agent:triage' });
    expect(view(masking).export(opened)).toMatchObject({ masked: false, actor: { name: 'triage' } });
  });
});

describe('the trace of a task', () => {
  test('is one over all hops, and each step follows from the one before', () => {
    const one = view();
    const sent = one.export(entryOf('message.outbound', { actor: 'agent:triage', causedBy: [] }));
    const taken = one.export(admitted());
    const received = one.export(entryOf('message.delivered', { actor: 'sidecar:payments' }));
    const reviewed = one.export(entryOf('request.reviewed', { actor: 'sidecar:payments' }));
    const called = one.export(entryOf('tool.outcome', { actor: 'agent:payments' }));
    const answered = one.export(
      entryOf('message.outbound', { actor: 'agent:payments', message: reply, causedBy: [message] }),
    );
    const steps = [sent, taken, received, reviewed, called, answered];
    expect(new Set(steps.map(({ traceId }) => traceId)).size).toBe(1);
    expect(new Set(steps.map(({ spanId }) => spanId)).size).toBe(6);
    expect(sent.parentSpanId).toBe(null);
    expect(taken.parentSpanId).toBe(sent.spanId);
    expect(received.parentSpanId).toBe(taken.spanId);
    expect(reviewed.parentSpanId).toBe(received.spanId);
    expect(called.parentSpanId).toBe(received.spanId);
    // What has the id of a tool call is caused by its end.
    expect([called.spanId, received.spanId]).toContain(answered.parentSpanId);
  });

  test('has the same ids whenever and by whomever it is exported', () => {
    const entry = admitted();
    expect(view().export(entry)).toEqual(view().export(entry));
  });

  test('has the 128 bits of the task as its id', () => {
    expect(traceIdOfTask('00000000000000000000000001')).toBe(`${'0'.repeat(31)}1`);
    expect(traceIdOfTask('7ZZZZZZZZZZZZZZZZZZZZZZZZZ')).toBe('f'.repeat(32));
    expect(traceIdOfTask('00000000000000000000000000')).toBe(null);
    expect(traceIdOfTask('8ZZZZZZZZZZZZZZZZZZZZZZZZZ')).toBe(null);
    expect(traceIdOfTask('not a task')).toBe(null);
  });
});

describe('a traceparent of an agent', () => {
  const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;

  test('is a link and neither trace nor parent', () => {
    const exported = view().export(entryOf('message.outbound', { detail: { traceparent } }));
    expect(exported.link).toEqual({ traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) });
    expect(exported.traceId).toBe(traceIdOfTask(task));
    expect(exported.parentSpanId).not.toBe('cd'.repeat(8));
  });

  test.each([
    'hello', `01-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`, `00-${'00'.repeat(16)}-${'cd'.repeat(8)}-01`,
    `00-${'ab'.repeat(16)}-${'00'.repeat(8)}-01`, `${traceparent}-more`, traceparent.toUpperCase(), 7,
  ])('that is of another form is nothing: %s', (text) => {
    expect(linkOf(text)).toBe(null);
  });

  test('does not leave a domain that masks', () => {
    const entry = entryOf('message.outbound', { detail: { traceparent, domain: 'billing' } });
    expect(view(masking).export(entry).link).toBe(null);
  });
});
