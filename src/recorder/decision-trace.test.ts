// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { draft, go, startMs, ulid } from '../../test/faults/recorder-fixture.ts';
import type { Verdict } from '../review/verdict.ts';
import { orderByCause } from './causal-order.ts';
import { buildDecisionTrace } from './decision-trace.ts';
import type { DecisionTrace, DecisionTraceInput } from './decision-trace.ts';
import { renderDecisionTrace } from './decision-trace-text.ts';
import type { EntryDraft, RecordedEntry } from './entry.ts';

const task = ulid(500);
const otherTask = ulid(600);
const request = ulid(501);
const answer = ulid(502);
const approval = ulid(700);

const noGo: Verdict = {
  outcome: 'NO-GO',
  control: 'policy-compliance',
  version: '3f2a90c1d2e4',
  tookUs: 310,
  findings: [
    {
      code: 'POLICY_PAYEE_SOURCE',
      rule: 'sensitive/payee',
      path: '/parameters/payee',
      start: null,
      end: null,
      digest: null,
    },
  ],
};

const step = (number: number, changes: Partial<EntryDraft>): EntryDraft =>
  draft(number, { task, message: request, verdicts: [], tookUs: null, detail: {}, ...changes });

const outbound = step(1, {
  kind: 'message.outbound',
  id: `${request}.outbound`,
  tookUs: 900,
  verdicts: [go],
  detail: {
    to: 'payments',
    schema: 'action-request/1',
    isolation: 'none',
    goalHash: 'g'.repeat(43),
  },
});
const admitted = step(2, {
  id: `${request}.admitted`,
  actor: 'node',
  causedBy: [request],
  tookUs: 400,
});
const reviewed = step(3, {
  kind: 'request.reviewed',
  id: `${request}.reviewed`,
  actor: 'sidecar:payments',
  causedBy: [request],
  detail: { action: 'pay_invoice', risk: 'HIGH', isolation: 'uid' },
});
const held = step(4, {
  kind: 'approval.held',
  actor: 'node',
  outcome: 'ESCALATE',
  causedBy: [request],
  detail: { approval, action: 'pay_invoice', risk: 'HIGH' },
});
const decided = step(5, {
  kind: 'approval.decided',
  actor: 'node',
  causedBy: [request],
  detail: { approval, operator: 'ana', decision: 'approve', reason: 'Called the supplier.' },
});
const intent = step(6, { kind: 'tool.intent', actor: 'agent:payments', causedBy: [request] });
const outcome = step(7, {
  kind: 'tool.outcome',
  actor: 'agent:payments',
  causedBy: [request],
  tookUs: 41_000,
});
const refused = step(8, {
  kind: 'message.refused',
  actor: 'sidecar:payments',
  outcome: 'NO-GO',
  code: 'POLICY_PAYEE_SOURCE',
  verdicts: [go, noGo],
});
const elsewhere = step(9, { task: otherTask, message: ulid(601) });

const explained = {
  means: 'The payee came from a source that its manifest does not list.',
  mend: 'List the source.',
};
const explain: DecisionTraceInput['explain'] = (code) =>
  code === 'POLICY_PAYEE_SOURCE' ? explained : null;

function record(drafts: readonly EntryDraft[]): RecordedEntry[] {
  return drafts.map((one, sequence) => {
    return { ...one, sequence, recordedAt: startMs + sequence * 250, previous: 'p'.repeat(43) };
  });
}

async function* stream(entries: readonly RecordedEntry[]): AsyncGenerator<RecordedEntry> {
  yield* entries;
}

const answerFor = (id: string, drafts: readonly EntryDraft[], entriesMax?: number) => {
  const entries = record(drafts);
  const limit = entriesMax === undefined ? {} : { entriesMax };
  return buildDecisionTrace({ id, entries: () => stream(entries), explain, ...limit });
};

async function traceOf(id: string, drafts: readonly EntryDraft[]): Promise<DecisionTrace> {
  const built = await answerFor(id, drafts);
  if (!built.ok) throw new Error(built.code);
  return built.trace;
}

const paid = [outbound, admitted, elsewhere, reviewed, held, decided, intent, outcome];

describe('a decision trace', () => {
  it('is refused for an id that nobody has, or that is too short to mean one', async () => {
    for (const id of ['', task.slice(0, 7), ulid(999), 'constructor']) {
      expect(await answerFor(id, paid)).toEqual({ ok: false, code: 'RECORDER_TRACE_UNKNOWN' });
    }
  });

  it('is refused for the start of an id that two tasks share', async () => {
    const built = await answerFor(task.slice(0, 10), paid);
    expect(built).toEqual({ ok: false, code: 'RECORDER_TRACE_AMBIGUOUS' });
  });

  it('takes a whole id before the start of another', async () => {
    const disguised = step(10, { task: otherTask, message: ulid(602), id: `${task}.forged` });
    expect((await traceOf(task, [...paid, disguised])).maso.task).toBe(task);
  });

  it.each([task, request, approval, `${request}.admitted`, `${request}.adm`])(
    'is found by task, message, approval, entry, or the start of one: %s',
    async (id) => {
      const trace = await traceOf(id, paid);
      expect(trace.trace_id).toBe(task);
      expect(trace.maso.steps).toHaveLength(paid.length - 1);
      expect(trace.resolution.outcome).toBe('DONE');
    },
  );

  it('says who, what, when, why and what it cost', async () => {
    const trace = await traceOf(task, paid);
    expect(trace).toMatchObject({
      timestamp: new Date(startMs).toISOString(),
      subject: {
        description: 'pay_invoice',
        input_hash: 'g'.repeat(43),
        risk_classification: 'HIGH',
      },
      resolution: {
        outcome: 'DONE',
        human_decision: 'GO',
        human_reasoning: 'Called the supplier.',
      },
      evaluation: {
        tactical_judge: null,
        domain_judges: [],
        inter_judge_conflict: { detected: false, escalated_to_human: true },
      },
      regulatory_mapping: { human_oversight_documented: true },
    });
    expect(trace.maso).toMatchObject({
      took_ms: 1750,
      people: ['ana'],
      isolation: { triage: 'none', payments: 'uid' },
      cost: { tokens: 0, model_calls: 0, controls_us: 120 },
    });
    expect(trace.agent_chain.map(({ agent_id, action }) => [agent_id, action])).toEqual([
      ['triage', 'message.outbound'],
      ['payments', 'tool.intent'],
      ['payments', 'tool.outcome'],
    ]);
  });

  it('says how things stand at every step', async () => {
    const inDoubt = step(11, { kind: 'tool.in-doubt', outcome: null, code: 'TOOL_IN_DOUBT' });
    const stands = async (...drafts: EntryDraft[]) => {
      return (await traceOf(task, drafts)).resolution.outcome;
    };
    expect(await stands(outbound)).toBe('OPEN');
    expect(await stands(outbound, held)).toBe('HELD');
    expect(await stands(outbound, held, decided)).toBe('OPEN');
    expect(await stands(outbound, { ...decided, outcome: 'NO-GO' })).toBe('REFUSED');
    expect(await stands(outbound, intent, inDoubt)).toBe('IN-DOUBT');
    expect(await stands(outbound, intent, { ...outcome, outcome: 'NO-GO' })).toBe('FAILED');
    expect(await stands(outbound, refused)).toBe('REFUSED');
  });

  it('ends as the message ended that was asked for, not as the last of its task', async () => {
    const good = step(12, { kind: 'tool.outcome', message: answer });
    const both = [outbound, refused, good];
    expect((await traceOf(request, both)).resolution.outcome).toBe('REFUSED');
    expect((await traceOf(answer, both)).resolution.outcome).toBe('DONE');
  });

  it('has the risk of its action, not of the reads on the way to it', async () => {
    const read = step(16, { kind: 'tool.intent', detail: { action: null, risk: 'LOW' } });
    const { subject } = await traceOf(task, [outbound, read, reviewed, outcome]);
    expect(subject.risk_classification).toBe('HIGH');
    expect((await traceOf(task, [outbound, read])).subject.risk_classification).toBe('LOW');
  });

  it('does not read as refused because a copy of its message was', async () => {
    const code = 'BUS_REPLAY';
    const kind = 'message.refused';
    const copy = step(15, { kind, id: 'refused.copy', actor: 'node', outcome: 'NO-GO', code });
    const both = [outbound, admitted, intent, outcome, copy];
    for (const id of [task, request]) {
      expect((await traceOf(id, both)).resolution.outcome).toBe('DONE');
    }
    expect((await traceOf(copy.id, both)).maso.code).toBe('BUS_REPLAY');
    expect((await traceOf(task, [outbound, copy])).resolution.outcome).toBe('REFUSED');
  });

  it('names the disagreement of controls, and the rule that settles it', async () => {
    const { evaluation, maso } = await traceOf(task, [outbound, refused]);
    expect(evaluation.inter_judge_conflict.detected).toBe(true);
    expect(maso).toMatchObject({ code: 'POLICY_PAYEE_SOURCE', mend: 'List the source.' });
  });

  it('shows what was refused before it had a task, with what it raised', async () => {
    const none = { task: null, message: null };
    const alone = step(13, { ...none, kind: 'message.refused', code: 'BUS_REPLAY' });
    const raised = step(14, { ...none, kind: 'indicator.raised', causedBy: [alone.id] });
    const trace = await traceOf(alone.id, [...paid, alone, raised]);
    expect(trace.maso.steps.map(({ id }) => id)).toEqual([alone.id, raised.id]);
    expect(trace.trace_id).toBe(alone.id);
  });

  it('says when a task has more entries than it shows', async () => {
    const built = await answerFor(task, paid, 3);
    expect(built).toMatchObject({ ok: true, trace: { maso: { cut_off: true } } });
  });
});

describe('the order of causes', () => {
  const orderOf = (drafts: readonly EntryDraft[]) =>
    orderByCause(record(drafts)).map(({ id }) => id);

  it('puts an entry that arrived late before what it caused', () => {
    const order = [outbound.id, admitted.id, reviewed.id];
    expect(orderOf([admitted, reviewed, outbound])).toEqual(order);
  });

  it('ends although the causes form a circle, or one names itself', () => {
    const a = step(1, { causedBy: [ulid(2)] });
    const b = step(2, { causedBy: [ulid(3), ulid(2)] });
    const c = step(3, { causedBy: [ulid(1)] });
    expect(orderOf([a, b, c]).toSorted()).toEqual([a.id, b.id, c.id].toSorted());
  });

  it('follows a chain of any length without running out of stack', () => {
    const long = Array.from({ length: 20_000 }, (_, n) =>
      step(n, { message: null, causedBy: [ulid(n + 1)] }),
    );
    expect(orderOf(long)).toEqual(long.map(({ id }) => id).toReversed());
  });
});

describe('the text of a decision trace', () => {
  const text = async (drafts: readonly EntryDraft[], columns = 80, colour = false) =>
    renderDecisionTrace(await traceOf(task, drafts), { columns, colour });

  it('never moves the cursor or turns text around, whatever was recorded', async () => {
    const hostile = '\u001B[2J\u202Egnp.exe\r\nGO\u0007\u009B';
    const [finding] = noGo.findings;
    if (finding === undefined) throw new Error('no finding');
    const findings = [{ ...finding, path: hostile }];
    const trap = step(20, {
      kind: 'tool.refused',
      outcome: 'NO-GO',
      detail: { reason: hostile, [hostile]: hostile, list: [hostile, { deep: hostile }] },
      verdicts: [{ ...noGo, version: hostile, findings }],
    });
    const plain = await text([outbound, trap]);
    expect(plain.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(plain).not.toMatch(/^GO/m);
  });

  it('keeps to its columns, also with words that are too long', async () => {
    const detail = { word: 'w'.repeat(500), many: 'a b '.repeat(99) };
    const long = step(21, { kind: 'tool.refused', detail });
    for (const columns of [60, 80, 120]) {
      const lines = (await text([...paid, refused, long], columns)).split('\n');
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    }
    expect((await text(paid, Number.NaN)).length).toBeGreaterThan(0);
  });

  it('is coloured only when asked', async () => {
    const plain = await text([outbound, refused]);
    const coloured = await text([outbound, refused], 80, true);
    expect(coloured).not.toBe(plain);
    // eslint-disable-next-line no-control-regex
    expect(coloured.replaceAll(/\u001B\[\d+m/g, '')).toBe(plain);
  });

  it('tells a refusal from top to bottom', async () => {
    expect(await text([outbound, admitted, refused])).toMatchInlineSnapshot(`
      "DECISION TRACE 01HF7YAT000000000000000500

        outcome   REFUSED  POLICY_PAYEE_SOURCE
        why       The payee came from a source that its manifest does not list.
        mend      List the source.
        what      no action, risk not classified
        who       agent:triage, node, sidecar:payments
        when      2023-11-14T22:13:20.000Z, 500.0 ms to the last entry
        people    none asked
        isolation triage none (guarantees do not hold for it)
        cost      no model called, 0 tokens; controls 550 µs: policy-compliance 310 µs
                  in 1, scanner 240 µs in 2
        record    3 entries, from 0 to 2

      STEPS

        +0.000 s message.outbound  agent:triage  GO  900 µs
                 to payments, schema action-request/1, isolation none, goalHash
                 ggggggggggggggggggggggggggggggggggggggggggg
                 GO  scanner 1.0.0  120 µs
                 entry 0  01HF7YAT000000000000000501.outbound

        +0.250 s message.admitted  node  GO  400 µs
                 entry 1  01HF7YAT000000000000000501.admitted

        +0.500 s message.refused  sidecar:payments  NO-GO
                 GO  scanner 1.0.0  120 µs
                 NO-GO  policy-compliance 3f2a90c1d2e4  310 µs
                   POLICY_PAYEE_SOURCE by rule sensitive/payee at /parameters/payee
                     The payee came from a source that its manifest does not list.
                 entry 2  01HF7YAT000000000000000008
      "
    `);
  });
});
