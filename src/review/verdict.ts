// SPDX-License-Identifier: Apache-2.0

export type Outcome = 'GO' | 'NO-GO' | 'ESCALATE';

/** The reviewing controls (seed 000). `bus` covers authentication, replay, rate and edges. */
export type ControlName =
  | 'scanner'
  | 'semantic-firewall'
  | 'policy-compliance'
  | 'model-as-judge'
  | 'bus'
  | 'contagion'
  | 'pace'
  | 'protection'
  | 'human'
  | 'tool-gate';

/**
 * Why a control did not say GO. Never holds the matched text (G9): `path` is a JSON Pointer into the
 * payload, `digest` an HMAC-SHA256 of the match under a key of this process, base64url, 16 bytes.
 */
export type Finding = {
  readonly code: string;
  readonly rule: string;
  readonly path: string | null;
  readonly start: number | null;
  readonly end: number | null;
  readonly digest: string | null;
};

export type Verdict = {
  readonly outcome: Outcome;
  readonly control: ControlName;
  /** Version of the rules, policy or model that spoke. */
  readonly version: string;
  readonly tookUs: number;
  /** Never empty unless the outcome is GO; those of a GO are notes, and change nothing. */
  readonly findings: readonly Finding[];
};

export type CombinedVerdict = {
  readonly outcome: Outcome;
  /** The finding that leads: it names the refusal. Null when GO. */
  readonly lead: Finding | null;
  readonly verdicts: readonly Verdict[];
};

const severity: { readonly [outcome in Outcome]: number } = { GO: 0, ESCALATE: 1, 'NO-GO': 2 };

/** Which control's finding leads among equals; it never un-blocks (DESIGN section 5). */
const precedence: readonly ControlName[] = [
  'pace',
  'bus',
  'protection',
  'policy-compliance',
  'tool-gate',
  'contagion',
  'scanner',
  'semantic-firewall',
  'model-as-judge',
  'human',
];

/** The most restrictive verdict wins; no verdicts at all is a NO-GO, because nothing was reviewed. */
export function combine(verdicts: readonly Verdict[]): CombinedVerdict {
  if (verdicts.length === 0) {
    return { outcome: 'NO-GO', lead: finding('REVIEW_MISSING', 'review/none'), verdicts };
  }
  let worst: Verdict | null = null;
  for (const verdict of verdicts) {
    if (worst === null || outranks(verdict, worst)) worst = verdict;
  }
  const outcome = worst?.outcome ?? 'NO-GO';
  const lead = outcome === 'GO' ? null : (worst?.findings[0] ?? finding('REVIEW_MISSING', 'review/none'));
  return { outcome, lead, verdicts };
}

export function finding(code: string, rule: string, path: string | null = null): Finding {
  return { code, rule, path, start: null, end: null, digest: null };
}

function outranks(a: Verdict, b: Verdict): boolean {
  if (severity[a.outcome] !== severity[b.outcome]) return severity[a.outcome] > severity[b.outcome];
  return precedence.indexOf(a.control) < precedence.indexOf(b.control);
}
