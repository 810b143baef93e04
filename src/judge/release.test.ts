// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { combine, finding, type Outcome, type Verdict } from '../review/verdict.ts';
import type { Ruling } from './judge.ts';
import { afterRuling } from './release.ts';

function verdict(control: Verdict['control'], outcome: Outcome, ...codes: string[]): Verdict {
  const findings = codes.map((code) => finding(code, 'test'));
  return { outcome, control, version: 'test', tookUs: 0, findings };
}

function ruling(outcome: Outcome, ...subjects: Ruling['subjects'][number]['subject'][]): Ruling {
  const codes = outcome === 'GO' ? [] : ['JUDGE_REFUSED'];
  return {
    verdict: verdict('model-as-judge', outcome, ...codes),
    subjects: subjects.map((subject) => ({ subject, outcome })),
    calls: [],
  };
}

const pattern = verdict('scanner', 'ESCALATE', 'SCAN_PATTERN');
const own = { release: 'own_subject' } as const;

describe('a judge that says GO', () => {
  it.each([
    ['policy', verdict('policy-compliance', 'ESCALATE', 'POLICY_APPROVAL_REQUIRED')],
    ['a bound', verdict('policy-compliance', 'ESCALATE', 'BOUNDS_HALF_REACHED')],
    ['the bus', verdict('bus', 'ESCALATE', 'CONTAGION_DOUBT')],
    ['PACE', verdict('pace', 'ESCALATE', 'PACE_STOPPED')],
    ['the firewall', verdict('semantic-firewall', 'ESCALATE', 'FIREWALL_SUSPECT')],
    ['a rule against orders', verdict('scanner', 'ESCALATE', 'SCAN_INJECTION')],
    ['hidden text beside its own', verdict('scanner', 'ESCALATE', 'SCAN_PATTERN', 'SCAN_HIDDEN_TEXT')],
    ['a subject that nobody judged', verdict('scanner', 'ESCALATE', 'SCAN_SECRET')],
    ['a scanner without a reason', verdict('scanner', 'ESCALATE')],
  ])('does not lift what %s raised', (_what, raised) => {
    expect(combine(afterRuling([raised], ruling('GO', 'security'), 'HIGH', own)).outcome).toBe('ESCALATE');
  });

  it('never lifts a refusal', () => {
    const refused = verdict('policy-compliance', 'NO-GO', 'POLICY_FORBIDDEN');
    expect(combine(afterRuling([refused, pattern], ruling('GO', 'security'), 'HIGH', own)).outcome).toBe('NO-GO');
  });

  it('lifts nothing for CRITICAL, and nothing unless the mesh file lets it', () => {
    const said = ruling('GO', 'security');
    expect(combine(afterRuling([pattern], said, 'CRITICAL', own)).outcome).toBe('ESCALATE');
    expect(combine(afterRuling([pattern], said, 'HIGH', { release: 'never' })).outcome).toBe('ESCALATE');
  });

  it('lifts what its own subject raised', () => {
    expect(combine(afterRuling([pattern], ruling('GO', 'security'), 'HIGH', own)).outcome).toBe('GO');
  });
});

it.each(['NO-GO', 'ESCALATE'] as const)('a judge that says %s adds to what stands', (outcome) => {
  const [first, second] = afterRuling([pattern], ruling(outcome, 'security'), 'HIGH', own);
  expect(first).toBe(pattern);
  expect(second?.outcome).toBe(outcome);
});
