// SPDX-License-Identifier: Apache-2.0
import { createHmac, createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Suppression } from '../mesh/scanner-settings.ts';
import type { Finding, Outcome } from '../review/verdict.ts';
import { finding } from '../review/verdict.ts';
import type { Span } from '../text/view.ts';
import type { Place } from './structure.ts';
import { isLongName, pointerTo } from './structure.ts';
import type { SuppressedBy } from './suppression.ts';

/** Where a text stands in the payload. */
export type TextPlace = {
  readonly text: string;
  readonly place: Place | null;
  /** True for the name of a member. */
  readonly name: boolean;
};

export type GradedFinding = {
  readonly finding: Finding;
  readonly outcome: Outcome;
  /** Who answers for it, where it is a note for that reason alone. */
  readonly suppression: Suppression | null;
};

/** Findings of one outcome that a verdict carries; the outcome counts them all. */
const findingsMax = 32;
const notesMax = 16;
const matchesOfRuleMax = 8;
const repeatsMax = 256;

export function digestKeyOf(bytes: Uint8Array): KeyObject {
  // Prepared once: a raw key is prepared anew for every digest, which costs more than the digest.
  return createSecretKey(bytes);
}

/** Of one rule: places that it has spoken of, findings that were made of them, and words about its budget. */
type Counts = {
  readonly seen: Record<Outcome, number>;
  readonly told: Record<Outcome, number>;
  budget: number;
};

const gravityOf: Readonly<Record<Outcome, number>> = { GO: 0, ESCALATE: 1, 'NO-GO': 2 };

function noneOfEach(): Record<Outcome, number> {
  return { GO: 0, ESCALATE: 0, 'NO-GO': 0 };
}

/** What one scan has found: refusals first, then escalations, then notes, which change nothing. */
export class FindingList {
  private readonly refusals: Finding[] = [];
  private readonly escalations: Finding[] = [];
  private readonly notes: Finding[] = [];
  private readonly counts = new Map<string, Counts>();
  /** By place, and not by a path: below one long name may stand thousands of texts. */
  private readonly seen = new Map<Place | null, Map<string, number>>();
  /** Member names that hold a match: they may not appear in a path (G9). */
  private readonly hiddenNames = new Set<string>();
  private readonly key: KeyObject;
  private refused = false;
  private escalated = false;

  private readonly suppressedBy: SuppressedBy | null;
  private readonly answered = new Map<Finding, Suppression>();

  constructor(key: KeyObject, suppressedBy: SuppressedBy | null = null) {
    this.key = key;
    this.suppressedBy = suppressedBy;
  }

  get outcome(): Outcome {
    if (this.refused) return 'NO-GO';
    return this.escalated ? 'ESCALATE' : 'GO';
  }

  get all(): readonly Finding[] {
    return [...this.refusals, ...this.escalations, ...this.notes];
  }

  /** Each with what it amounts to, in the same order. */
  get graded(): readonly GradedFinding[] {
    const graded = (findings: readonly Finding[], outcome: Outcome): readonly GradedFinding[] =>
      findings.map((finding) => ({ finding, outcome, suppression: this.answered.get(finding) ?? null }));
    return [
      ...graded(this.refusals, 'NO-GO'),
      ...graded(this.escalations, 'ESCALATE'),
      ...graded(this.notes, 'GO'),
    ];
  }

  refuse(findings: readonly Finding[]): void {
    if (findings.length > 0) this.refused = true;
    this.refusals.push(...findings);
  }

  /** Once for each rule, whatever the number of texts. */
  escalateOnce(code: string, rule: string): void {
    this.escalated = true;
    const counts = this.countsOf(rule);
    counts.budget += 1;
    if (counts.budget === 1) this.escalations.push(finding(code, rule));
  }

  /** Once for each rule: something was left undone that no verdict rests on. */
  noteOnce(code: string, rule: string): void {
    const counts = this.countsOf(rule);
    counts.budget += 1;
    if (counts.budget === 1) this.notes.push(finding(code, rule));
  }

  /**
   * False when the same rule has spoken of this place before: then nothing changes. `said` is what the rule
   * says of its match by itself, where that was raised for how it was hidden.
   */
  add(code: string, rule: string, meant: Outcome, span: Span, where: TextPlace, said: Outcome = meant): boolean {
    const { text, place, name } = where;
    if (!this.isNew(rule, said, span, where)) return false;
    const suppression = meant === 'GO' ? null : this.answerFor(rule, place);
    const outcome = suppression === null ? meant : 'GO';
    // One outcome of one rule has long been said: a text full of matches must not cost more.
    const counts = this.countsOf(rule);
    counts.seen[outcome] += 1;
    if (counts.seen[outcome] > repeatsMax) return true;
    if (outcome === 'NO-GO') this.refused = true;
    if (outcome === 'ESCALATE') this.escalated = true;
    // A note is no evidence: it must not hide names that other findings need to point at.
    if (name && place !== null && outcome !== 'GO') this.hiddenNames.add(place.segment);
    const list = this.listOf(outcome);
    // Counted for each outcome: forged tokens must not use up the place of a real one.
    if (list.length >= (outcome === 'GO' ? notesMax : findingsMax)) return true;
    counts.told[outcome] += 1;
    if (counts.told[outcome] > matchesOfRuleMax) return true;
    const path = pointerTo(place, (segment) => this.isHiddenName(segment));
    const digest = this.digest(text.slice(span.start, span.end));
    const own = { code, rule, path, start: span.start, end: span.end, digest };
    list.push(own);
    if (suppression !== null) this.answered.set(own, suppression);
    return true;
  }

  /** What was decoded as one begins at one place, and so do a name and its value: the graver match is another one. */
  private isNew(rule: string, said: Outcome, { start }: Span, { place, name }: TextPlace): boolean {
    const here = this.seen.get(place) ?? new Map<string, number>();
    if (here.size === 0) this.seen.set(place, here);
    const known = `${rule} ${start} ${name}`;
    const gravity = gravityOf[said];
    if (gravity <= (here.get(known) ?? -1)) return false;
    here.set(known, gravity);
    return true;
  }

  private answerFor(rule: string, place: Place | null): Suppression | null {
    return this.suppressedBy === null ? null : this.suppressedBy(rule, place);
  }

  private listOf(outcome: Outcome): Finding[] {
    if (outcome === 'NO-GO') return this.refusals;
    return outcome === 'ESCALATE' ? this.escalations : this.notes;
  }

  private countsOf(rule: string): Counts {
    const known = this.counts.get(rule);
    if (known !== undefined) return known;
    const counts = { seen: noneOfEach(), told: noneOfEach(), budget: 0 };
    this.counts.set(rule, counts);
    return counts;
  }

  private isHiddenName(segment: string): boolean {
    return isLongName(segment) || this.hiddenNames.has(segment);
  }

  /** 16 bytes of HMAC-SHA256, base64url. */
  private digest(match: string): string {
    const mac = createHmac('sha256', this.key).update(match, 'utf8').digest();
    return mac.subarray(0, 16).toString('base64url');
  }
}
