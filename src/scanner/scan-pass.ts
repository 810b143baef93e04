// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { actionRequestSchema } from '../message/action-request.ts';
import type { ScannerSettings } from '../mesh/scanner-settings.ts';
import type { Finding, Outcome } from '../review/verdict.ts';
import { finding } from '../review/verdict.ts';
import { DecodeBudget } from '../text/budget.ts';
import type { HiddenRun } from '../text/normalise.ts';
import { readText } from '../text/read-text.ts';
import type { View } from '../text/view.ts';
import type { DataFragments } from './data-fragments.ts';
import { actionFor } from './data-policy.ts';
import { FindingList } from './finding-list.ts';
import type { TextPlace } from './finding-list.ts';
import { hidingOf } from './hiding.ts';
import { findPersonal, PersonalWork } from './personal.ts';
import type { PersonalMatch } from './personal.ts';
import type { PromptFingerprint } from './prompt-leak.ts';
import type { OnMatch, RuleEngine, Work, WorkLimits } from './rule-engine.ts';
import type { ScanInput, ScannerConfig } from './scan.ts';
import type { Place } from './structure.ts';
import { pointerTo, walkTexts } from './structure.ts';
import { suppressionsNow } from './suppression.ts';
import type { LinearRule } from './user-patterns.ts';
import { stepsOf } from './user-patterns.ts';

/** What all scans of one scanner share. */
export type ScanParts = {
  readonly config: ScannerConfig;
  readonly settings: ScannerSettings;
  readonly engine: RuleEngine;
  readonly outputEngine: RuleEngine;
  readonly linearRules: readonly LinearRule[];
  readonly key: KeyObject;
  readonly fragments: DataFragments;
  readonly fingerprint: PromptFingerprint | null;
  readonly limits: WorkLimits;
};

/** Steps of users' patterns in one scan; their engine takes up to 0.1 us for one. */
const userStepsMax = 400_000;

/** One scan of one value. */
export class Scan {
  private readonly input: ScanInput;
  private readonly parts: ScanParts;
  private readonly work: Work;
  private readonly outputWork: Work;
  private readonly budget = new DecodeBudget(0);
  private readonly personalWork = new PersonalWork();
  private readonly found: FindingList;
  private userSteps = 0;
  /** The text that is being scanned, and the view of it. */
  private where: TextPlace = { text: '', place: null, name: false };
  private view: View | null = null;
  /** In a text joined of two messages, the place where this message begins; else 0. */
  private seam = 0;

  constructor(input: ScanInput, parts: ScanParts) {
    this.input = input;
    this.parts = parts;
    this.work = parts.engine.newWork();
    this.outputWork = parts.outputEngine.newWork();
    const nowMs = parts.config.nowMs ?? null;
    this.found = new FindingList(parts.key, suppressionsNow(parts.settings.suppressions, nowMs));
  }

  run(): FindingList {
    const { input, parts, found } = this;
    if (input.schemaId !== null) found.refuse(this.schemaFindings(input.schemaId));
    const visit = (text: string, place: Place | null, name: boolean): void => {
      this.text({ text, place, name });
    };
    found.refuse(walkTexts(input.value, parts.config.limits, visit));
    this.reportExhausted(this.work, parts.engine);
    this.reportExhausted(this.outputWork, parts.outputEngine);
    if (this.budget.exhausted) found.escalateOnce('SCAN_BUDGET', 'budget/decoding');
    if (this.personalWork.exhausted) found.escalateOnce('SCAN_BUDGET', 'budget/personal-data');
    return found;
  }

  private reportExhausted(work: Work, engine: RuleEngine): void {
    for (const index of work.exhausted) {
      this.found.escalateOnce('SCAN_BUDGET', engine.rules[index]?.id ?? 'budget/total');
    }
  }

  private schemaFindings(schemaId: string): readonly Finding[] {
    const { type, value } = this.input;
    if (type === null) return [finding('SCAN_TYPE_MISMATCH', `schema/${schemaId}`)];
    return this.parts.config.schemas.check(schemaId, type, value);
  }

  private text(where: TextPlace): void {
    this.where = where;
    this.budget.allow(where.text.length);
    this.personalWork.allow(where.text.length);
    const reading = readText(where.text, this.budget);
    for (const run of reading.hidden) {
      this.found.add('SCAN_HIDDEN_TEXT', `hidden/${run.kind}`, hiddenOutcome(run), run, where);
    }
    for (const view of reading.views) this.scanView(view);
    const [first] = reading.views;
    if (first === undefined) return;
    for (const rule of this.parts.linearRules) this.linearRule(rule, first);
    this.leak(reading.views);
    if (!where.name) this.joined(first);
  }

  private scanView(view: View): void {
    const { engine, outputEngine, limits } = this.parts;
    this.view = view;
    engine.scan(view.text, this.work, limits, this.onMatch);
    if (this.input.towardsPerson === true) {
      outputEngine.scan(view.text, this.outputWork, limits, this.onMatch);
    }
    findPersonal(view.text, this.personalWork, this.onPersonal);
  }

  /** The end of the last message of this stream and the beginning of this one, as one text. */
  private joined(first: View): void {
    const { stream = null } = this.input;
    if (stream === null || first.text === '') return;
    const place = `${stream} ${pointerTo(this.where.place, () => false)}`;
    for (const { text, seam } of this.parts.fragments.joinWith(place, first.text)) {
      this.seam = seam;
      this.scanView({
        text,
        steps: ['split'],
        spanOf: (start, end) => first.spanOf(Math.max(0, start - seam), Math.max(1, end - seam)),
      });
    }
    this.seam = 0;
  }

  /** In a joined text only what lies on both sides of the seam is new. */
  private isOld(start: number, end: number): boolean {
    return this.seam > 0 && (start >= this.seam || end <= this.seam);
  }

  private readonly onMatch: OnMatch = (rule, outcome, start, end) => {
    if (!rule.appliesToUser && this.input.channel === 'user') return;
    const { view, where, found } = this;
    if (view === null || this.isOld(start, end)) return;
    const span = view.spanOf(start, end);
    const hiding = hidingOf(view.steps);
    const meant = hiding === null ? outcome : hiding.raise(outcome);
    // What was seen in clear is not hidden, though it stands near something that is.
    const isNew = found.add(rule.code, rule.id, meant, span, where);
    if (isNew && hiding !== null) found.add('SCAN_HIDDEN_TEXT', hiding.rule, meant, span, where);
  };

  private readonly onPersonal = (match: PersonalMatch): void => {
    const { view, where, input } = this;
    if (view === null || this.isOld(match.start, match.end)) return;
    const action = actionFor(match.class, input.classification ?? 'internal', this.parts.settings.data);
    const outcome = outcomeOf(action, input.schemaId);
    const span = view.spanOf(match.start, match.end);
    this.found.add('SCAN_PERSONAL_DATA', match.rule, outcome, span, where);
  };

  private linearRule(rule: LinearRule, view: View): void {
    const steps = stepsOf(rule, view.text);
    if (this.userSteps + steps > userStepsMax) {
      this.found.escalateOnce('SCAN_BUDGET', rule.id);
      return;
    }
    this.userSteps += steps;
    const match = rule.linear.find(view.text, 0);
    if (match === null) return;
    const span = view.spanOf(match.start, match.end);
    this.found.add(rule.code, rule.id, rule.outcome, span, this.where);
  }

  private leak(views: readonly View[]): void {
    const { fingerprint } = this.parts;
    if (fingerprint === null || this.input.leaves !== true) return;
    for (const view of views) {
      const place = fingerprint.find(view.text);
      if (place === null) continue;
      const span = view.spanOf(place.start, place.end);
      this.found.add('SCAN_PROMPT_LEAK', 'output/system-prompt', 'NO-GO', span, this.where);
      return;
    }
  }
}

/**
 * Data is rewritten before it is signed, so what is still there was not to be rewritten. In a
 * request for an action nothing is: another payee is another action, and a person decides.
 */
function outcomeOf(action: ReturnType<typeof actionFor>, schemaId: string | null): Outcome {
  switch (action) {
    case 'block':
      return 'NO-GO';
    case 'escalate':
      return 'ESCALATE';
    case 'redact':
    case 'tokenise':
      return schemaId === actionRequestSchema ? 'ESCALATE' : 'GO';
    case 'note':
      return 'GO';
    default:
      return action satisfies never;
  }
}

function hiddenOutcome(run: HiddenRun): 'NO-GO' | 'ESCALATE' {
  return run.kind === 'tag-characters' || run.kind === 'variation-selectors' ? 'NO-GO' : 'ESCALATE';
}
