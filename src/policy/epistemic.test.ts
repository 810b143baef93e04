// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { absorb, freshContext, type AgentContext } from '../label/context.ts';
import type { Epistemic } from '../message/envelope.ts';
import { epistemicFindings } from './epistemic.ts';

const task = 'task-1';
let ids = 0;

function saying(change: Partial<Epistemic> = {}): Epistemic {
  return { confidence: 0.6, unknowns: ['q4'], assumptions: ['constraint: EUR only', 'rates hold', 'local: sampled'], ...change };
}

/** What a process believes after these messages; `roots` are where each goes back to. */
function told(...messages: readonly (readonly [Epistemic | null, ...string[]])[]): AgentContext {
  return messages.reduce((context, [epistemic, ...roots]) => absorb(context, {
    id: `m${(ids += 1)}`,
    label: { classification: 'internal', integrity: 'internal', origins: ['agent:peer', ...roots] },
    told: { task, label: { classification: 'internal', integrity: 'internal', origins: ['agent:peer', ...roots] }, epistemic, isMessage: true },
  }), freshContext);
}

function afterReading(context: AgentContext): AgentContext {
  const label = { classification: 'internal', integrity: 'untrusted', origins: ['tool:filings'] } as const;
  return absorb(context, { id: `r${(ids += 1)}`, label, told: { task, label, epistemic: null, isMessage: false } });
}

function codesOf(context: AgentContext, stated: Epistemic | null, of = task): readonly string[] {
  const belief = context.beliefs?.find((one) => one.task === of) ?? null;
  return epistemicFindings(belief, 'claim', stated).map(({ code }) => code);
}

describe('what an agent was told', () => {
  const once = told([saying(), 'tool:mail']);
  const kept = saying({ assumptions: ['constraint: EUR only', 'rates hold'] });

  it.each([
    ['said as a fact', null, 'POLICY_CLAIM_AS_FACT'],
    ['said with more confidence', { ...kept, confidence: 0.61 }, 'POLICY_CONFIDENCE_RAISED'],
    ['said with a confidence that is no number', { ...kept, confidence: Number.NaN }, 'POLICY_CONFIDENCE_RAISED'],
    ['said without its unknowns', { ...kept, unknowns: [] }, 'POLICY_UNKNOWN_DROPPED'],
    ['said without its assumptions', { ...kept, assumptions: ['constraint: EUR only'] }, 'POLICY_ASSUMPTION_DROPPED'],
    ['said without its constraints', { ...kept, assumptions: ['rates hold'] }, 'POLICY_CONSTRAINT_LOST'],
    ['said with an assumption of somebody else alone', saying(), 'POLICY_ASSUMPTION_LEAKED'],
  ] as const)('is not %s', (_what, stated, code) => {
    expect(codesOf(once, stated)).toEqual([code]);
  });

  it('is passed on as it is, with less confidence, and with more that is unknown', () => {
    expect(codesOf(once, kept)).toEqual([]);
    expect(codesOf(once, { ...kept, confidence: 0.1, unknowns: ['q4', 'costs'] })).toEqual([]);
    expect(codesOf(once, { ...kept, confidence: null })).toEqual([]);
  });

  it('may get surer, and answer unknowns, by a read of one\'s own; constraints stay', () => {
    const read = afterReading(once);
    expect(codesOf(read, { ...kept, confidence: 0.9, unknowns: [] })).toEqual([]);
    expect(codesOf(read, { ...kept, confidence: 0.9, assumptions: [] }))
      .toEqual(['POLICY_CONSTRAINT_LOST', 'POLICY_ASSUMPTION_DROPPED']);
  });

  it('is not made surer by a read that came before it', () => {
    const early = absorb(afterReading(freshContext), {
      id: 'late', label: freshContext.label, told: { task, label: freshContext.label, epistemic: kept, isMessage: true },
    });
    expect(codesOf(early, { ...kept, confidence: 0.9 })).toEqual(['POLICY_CONFIDENCE_RAISED']);
  });

  it('is not made surer by a message that says nothing of itself', () => {
    expect(codesOf(told([saying(), 'tool:mail'], [null, 'tool:other']), { ...kept, confidence: 0.9 }))
      .toEqual(['POLICY_CONFIDENCE_RAISED']);
  });

  it('binds in its own task only, and no instruction', () => {
    expect(codesOf(once, null, 'task-2')).toEqual([]);
    expect(epistemicFindings(once.beliefs?.[0] ?? null, 'instruction', null)).toEqual([]);
  });
});

describe('models of one family', () => {
  const plain = saying({ assumptions: [] });
  const by = (...families: readonly (string | null)[]): AgentContext => families.reduce((context, family, index) => absorb(context, {
    id: `f${(ids += 1)}`, label: freshContext.label, told: {
      task, epistemic: plain, isMessage: true, family,
      label: { classification: 'internal', integrity: 'internal', origins: ['agent:peer', `tool:source-${index}`] },
    },
  }), freshContext);
  const surer = { ...plain, confidence: 0.9 };

  it('make nothing surer by agreeing, whatever their sources are', () => {
    expect(codesOf(by('glm', 'glm'), surer)).toEqual(['POLICY_ONE_FAMILY']);
    expect(codesOf(by('glm', 'glm', 'glm'), surer)).toEqual(['POLICY_ONE_FAMILY']);
    expect(codesOf(afterReading(by('glm', 'glm')), surer)).toEqual([]);
  });

  it('are told apart from those of two, and from what nobody declared', () => {
    for (const families of [['glm', 'qwen'], ['glm', null], [null, null]]) expect(codesOf(by(...families), surer)).toEqual([]);
  });

  it('are not known of a belief from before families were kept', () => {
    const old = (by('glm').beliefs ?? []).map(({ families: _families, ...rest }) => rest);
    const context = absorb({ ...freshContext, beliefs: old }, {
      id: `f${(ids += 1)}`, label: freshContext.label, told: {
        task, epistemic: plain, isMessage: true, family: 'glm',
        label: { classification: 'internal', integrity: 'internal', origins: ['agent:peer', 'tool:other'] },
      },
    });
    expect(codesOf(context, surer)).toEqual([]);
  });
});

describe('corroboration', () => {
  const plain = saying({ assumptions: [] });
  it('by agents whose sources lead back to one root makes nothing surer', () => {
    const echo = told([plain, 'tool:mail'], [plain, 'tool:mail'], [plain], [plain, 'tool:mail']);
    expect(codesOf(echo, { ...plain, confidence: 0.9 })).toEqual(['POLICY_ONE_ROOT']);
    expect(codesOf(told([plain], [plain]), { ...plain, confidence: 0.9 })).toEqual(['POLICY_ONE_ROOT']);
  });

  it('by agents that share all of their sources, or only the order, makes nothing surer', () => {
    const shared = told([plain, 'tool:mail', 'tool:web'], [plain, 'tool:web', 'tool:mail']);
    expect(codesOf(shared, { ...plain, confidence: 0.9 })).toEqual(['POLICY_ONE_ROOT']);
    const ordered = told([plain, 'prompt', 'tool:mail'], [plain, 'prompt']);
    expect(codesOf(ordered, { ...plain, confidence: 0.9 })).toEqual(['POLICY_ONE_ROOT']);
  });

  it('by distinct roots does', () => {
    const two = told([plain, 'tool:mail'], [plain, 'tool:filings']);
    expect(codesOf(two, { ...plain, confidence: 0.9 })).toEqual([]);
  });
});

it('over twelve hops of agents that lie, confidence never rises and nothing is lost', () => {
  const lie = fc.record({
    confidence: fc.double({ min: 0, max: 1, noNaN: true }),
    unknowns: fc.subarray(['a', 'b', 'c']),
    assumptions: fc.subarray(['constraint: x', 'constraint: y', 'z']),
  });
  fc.assert(fc.property(fc.array(lie, { minLength: 12, maxLength: 12 }), ([first, ...rest]) => {
    if (first === undefined) return;
    let passed: Epistemic = first;
    for (const stated of rest) {
      if (codesOf(told([passed, 'tool:mail']), stated).length > 0) continue;
      passed = stated;
    }
    expect(passed.confidence ?? 0).toBeLessThanOrEqual(first.confidence);
    expect(passed.unknowns).toEqual(expect.arrayContaining(first.unknowns));
    expect(passed.assumptions).toEqual(expect.arrayContaining(first.assumptions));
  }));
});

it('more than a process can hold leaves it unsure, and forgets the oldest task only', () => {
  const many = saying({ unknowns: Array.from({ length: 32 }, (_, index) => `u${index}`) });
  let context = told([many]);
  for (let turn = 0; turn < 8; turn += 1) {
    const unknowns = Array.from({ length: 32 }, (_, index) => `${turn} ${index}`);
    context = absorb(context, { id: `x${turn}`, label: freshContext.label, told: { task, label: freshContext.label, epistemic: saying({ unknowns }), isMessage: true } });
  }
  expect(context.beliefs?.[0]?.confidence).toBe(0);
  for (let turn = 0; turn < 64; turn += 1) {
    context = absorb(context, { id: `t${turn}`, label: freshContext.label, told: { task: `other-${turn}`, label: freshContext.label, epistemic: saying(), isMessage: true } });
  }
  expect(context.beliefs).toHaveLength(64);
  expect(context.beliefs?.some((one) => one.task === task)).toBe(false);
});
