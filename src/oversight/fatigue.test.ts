// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { Approval, MadeDecision } from './approvals.ts';
import { fatigueSignals, type SignalId } from './fatigue.ts';

const nowMs = 1_800_000_000_000;
const heldAt = nowMs - 3_600_000;

function card(
  index: number,
  decisions: readonly Partial<MadeDecision>[],
  change: Partial<Approval> = {},
): Approval {
  return {
    id: `approval-${index}`,
    state: 'approved',
    heldAt,
    decisions: decisions.map((made) => ({
      operator: 'alice', signed: '', decision: 'approve', openedAt: heldAt, at: heldAt + 60_000,
      reasonDigest: null, ...made,
    })),
    hold: {
      message: `m${index}`, task: 't', executor: 'payments', requester: 'triage',
      rootOrigin: 'tool:mail', action: 'pay_invoice', risk: 'HIGH', reversibility: 'irreversible',
      parameters: { invoice: index }, digest: 'd'.repeat(43), approvalsNeeded: 1, reasons: [], expiresAt: nowMs,
    },
    ...change,
  };
}

const many = (count: number, make: (index: number) => Approval): Approval[] =>
  Array.from({ length: count }, (_, index) => make(index));

function levelOf(id: SignalId, approvals: readonly Approval[]): string {
  const found = fatigueSignals(approvals, nowMs).find((signal) => signal.id === id);
  return found?.level ?? 'absent';
}

describe('signals of fatigue', () => {
  test('say nothing while there is too little to say anything of', () => {
    expect(new Set(fatigueSignals([], nowMs).map(({ level }) => level))).toEqual(new Set(['none']));
    const few = many(4, (index) => card(index, [{ at: heldAt + 1 }]));
    expect(levelOf('time-to-decide', few)).toBe('none');
  });

  test.each([[1_000, 'red'], [2_999, 'red'], [10_000, 'amber'], [60_000, 'green'], [400_000, 'amber']])(
    'half of the decisions within %d ms of opening are %s', (tookMs, level) => {
      const cards = many(9, (index) => card(index, [{ at: heldAt + tookMs }]));
      expect(levelOf('time-to-decide', cards)).toBe(level);
    },
  );

  test('count from the opening of the card, and not from when it was held', () => {
    const cards = many(9, (index) =>
      card(index, [{ openedAt: heldAt + 600_000, at: heldAt + 601_000 }]));
    expect(levelOf('time-to-decide', cards)).toBe('red');
  });

  test('probes that were let through are red above three in ten', () => {
    const probes = (missed: number) => many(10, (index) =>
      card(index, [{ decision: index < missed ? 'approve' : 'deny' }], { probe: true }));
    expect([1, 2, 4].map((missed) => levelOf('probes-missed', probes(missed))))
      .toEqual(['green', 'amber', 'red']);
  });

  test('approving everything is red, and so is challenging nothing', () => {
    const all = many(30, (index) => card(index, [{}]));
    expect([levelOf('approval-ratio', all), levelOf('challenge-rate', all)]).toEqual(['red', 'red']);
    const some = many(30, (index) => card(index, [{ decision: index < 6 ? 'deny' : 'approve' }]));
    expect([levelOf('approval-ratio', some), levelOf('challenge-rate', some)]).toEqual(['green', 'green']);
  });

  test('one in eight probes of a HIGH action let through is amber, where it is green of a MEDIUM one', () => {
    const probes = (risk: 'HIGH' | 'MEDIUM', missed: number, of: number) => many(of, (index) => {
      const made = card(index, [{ decision: index < missed ? 'approve' : 'deny' }], { probe: true });
      return { ...made, hold: { ...made.hold, risk } };
    });
    expect(levelOf('probes-missed', probes('HIGH', 1, 8))).toBe('amber');
    expect(levelOf('probes-missed', probes('MEDIUM', 1, 8))).toBe('green');
  });

  test('somebody who decides for more than four hours without a pause is amber', () => {
    const every = (minutes: number) => many(20, (index) =>
      card(index, [{ at: heldAt - (20 - index) * minutes * 60_000 }]));
    expect(levelOf('shift', every(10))).toBe('green');
    expect(levelOf('shift', every(14))).toBe('amber');
    expect(levelOf('shift', every(31))).toBe('green');
    const taken = many(20, (index) =>
      card(index, [{ operator: index % 2 === 0 ? 'alice' : 'bob', at: heldAt - (20 - index) * 14 * 60_000 }]));
    expect(fatigueSignals(taken, nowMs).find(({ id }) => id === 'shift')).toMatchObject({ level: 'amber', operator: 'alice' });
  });

  test('a share of approvals far from what it was before is amber', () => {
    const old = { heldAt: nowMs - 8 * 86_400_000 };
    const cards = (approved: number, change: Partial<Approval> = {}) => many(20, (index) =>
      card(index, [{ decision: index < approved ? 'approve' : 'deny' }], change));
    expect(levelOf('ratio-drift', [...cards(15), ...cards(14, old)])).toBe('green');
    expect(levelOf('ratio-drift', [...cards(18), ...cards(14, old)])).toBe('amber');
    expect(levelOf('ratio-drift', cards(18))).toBe('none');
  });

  test('probes do not make a ratio look better', () => {
    const real = many(30, (index) => card(index, [{}]));
    const probes = many(30, (index) => card(100 + index, [{ decision: 'deny' }], { probe: true }));
    expect(levelOf('approval-ratio', [...real, ...probes])).toBe('red');
  });

  test('the same reason word for word is red', () => {
    const cards = many(8, (index) => card(index, [{ reasonDigest: 'ok' }]));
    expect(levelOf('reasons-repeated', cards)).toBe('red');
    const own = many(8, (index) => card(index, [{ reasonDigest: `r${index}` }]));
    expect(levelOf('reasons-repeated', own)).toBe('green');
  });

  test('two people who see the same cards differently are red', () => {
    const cards = many(6, (index) =>
      card(index, [{}, { operator: 'bob', decision: index < 3 ? 'deny' : 'approve' }]));
    expect(levelOf('disagreement', cards)).toBe('red');
  });

  test('two people who answer equal questions differently are red, though nobody saw both cards', () => {
    const asked = card(1, []);
    const equal = (index: number) => ({ hold: { ...asked.hold, parameters: { amount: index }, digest: `d${index}` } });
    const pairs = [0, 1, 2, 3, 4, 5].flatMap((index) => [
      card(index * 2, [{ operator: 'alice' }], equal(index)),
      card(index * 2 + 1, [{ operator: 'bob', decision: 'deny' }], equal(index)),
    ]);
    expect(levelOf('disagreement', pairs)).toBe('red');
    const alike = pairs.map((one) => ({ ...one, decisions: one.decisions.map((made) => ({ ...made, decision: 'deny' as const })) }));
    expect(levelOf('disagreement', alike)).toBe('green');
  });

  test('one person who carries most is amber, and named', () => {
    const cards = many(30, (index) => card(index, [{ operator: index < 20 ? 'bob' : 'alice' }]));
    const load = fatigueSignals(cards, nowMs).find(({ id }) => id === 'load');
    expect(load).toMatchObject({ level: 'amber', operator: 'bob' });
  });

  test('what nobody decided in time is amber', () => {
    const cards = many(6, (index) => card(index, index === 0 ? [] : [{}], index === 0 ? { state: 'expired' } : {}));
    expect(levelOf('undecided', cards)).toBe('amber');
  });

  test('what is older than seven days counts no more', () => {
    const old = many(30, (index) => card(index, [{ at: heldAt + 1 }], { heldAt: nowMs - 8 * 86_400_000 }));
    expect(levelOf('time-to-decide', old)).toBe('none');
  });
});
