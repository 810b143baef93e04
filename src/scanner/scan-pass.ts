// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { actionRequestSchema } from '../message/action-request.ts';
import type { ScannerSettings } from '../mesh/scanner-settings.ts';
import type { Finding, Outcome } from '../review/verdict.ts';
import { finding } from '../review/verdict.ts';
import type { Span } from '../text/view.ts';
import { Effort, stepsOf } from '../text/effort.ts';
import type { HiddenRun } from '../text/normalise.ts';
import { isShortWord } from '../text/survey.ts';
import { readText } from '../text/read-text.ts';
import type { View } from '../text/view.ts';
import type { CleanTexts } from './clean-texts.ts';
import type { DataFragments, JoinedText } from './data-fragments.ts';
import { actionFor } from './data-policy.ts';
import { FindingList } from './finding-list.ts';
import type { TextPlace } from './finding-list.ts';
import { hidingOf } from './hiding.ts';
import { findPersonal, mayBePersonal, PersonalWork } from './personal.ts';
import type { PersonalMatch } from './personal.ts';
import { classByName, classOfRule } from './personal-words.ts';
import type { PromptFingerprint } from './prompt-leak.ts';
import type { OnMatch, RuleEngine, Work } from './rule-engine.ts';
import type { ScanInput, ScannerConfig } from './scan.ts';
import type { Place } from './structure.ts';
import { walkTexts } from './structure.ts';
import { suppressionsNow } from './suppression.ts';
import { placesKept, type PlaceMarks } from './tail-table.ts';
import type { LinearRule } from './user-patterns.ts';
import { stepsOfPattern } from './user-patterns.ts';

/** What all scans of one scanner share. */
export type ScanParts = {
  readonly config: ScannerConfig;
  readonly settings: ScannerSettings;
  readonly engine: RuleEngine;
  /** With the rules about what people are shown. */
  readonly engineTowardsPerson: RuleEngine;
  readonly linearRules: readonly LinearRule[];
  readonly key: KeyObject;
  readonly fragments: DataFragments;
  readonly clean: CleanTexts;
  readonly fingerprint: PromptFingerprint | null;
  /** What every scan may do, beside what its texts allow; absent means the default. */
  readonly stepsAtLeast: number | undefined;
};

/** Steps of users' patterns in one scan; their engine takes up to 0.1 us for one. */
const userStepsMax = 400_000;

/** One scan of one value. */
export class Scan {
  private readonly input: ScanInput;
  private readonly parts: ScanParts;
  private readonly engine: RuleEngine;
  private readonly work: Work;
  private readonly effort: Effort;
  private readonly personalWork: PersonalWork;
  private readonly found: FindingList;
  private userSteps = 0;
  private isRefusedForData = false;
  /** The text that is being scanned, and the view of it. */
  private where: TextPlace = { text: '', place: null, name: false };
  private view: View | null = null;
  /** Of anything, whatever came of it: a text that raised nothing need not be scanned again. */
  private heard = 0;
  private readonly mode: number;
  /** Null where no stream was named. */
  private readonly places: PlaceMarks | null;
  /** Texts that were put to what went before them, and the effort that they took. */
  private joins = 0;
  private joinSteps = 0;
  /** Where two messages meet in a text that was joined of them; else null. */
  private seams: JoinedText | null = null;

  constructor(input: ScanInput, parts: ScanParts) {
    this.input = input;
    this.parts = parts;
    this.engine = input.towardsPerson === true ? parts.engineTowardsPerson : parts.engine;
    this.effort = new Effort(0, parts.stepsAtLeast);
    this.personalWork = new PersonalWork(this.effort);
    this.work = this.engine.newWork(this.effort);
    this.mode = modeOf(input);
    const { stream = null } = input;
    this.places = stream === null ? null : parts.fragments.placesOf(stream);
    const nowMs = parts.config.nowMs ?? null;
    this.found = new FindingList(parts.key, suppressionsNow(parts.settings.suppressions, nowMs));
  }

  run(): FindingList {
    const { input, parts, found } = this;
    if (input.schemaId !== null) found.refuse(this.schemaFindings(input.schemaId));
    const visit = (text: string, place: Place | null, name: boolean): void => {
      this.text({ text, place, name });
    };
    const visitNumber = (written: string, place: Place | null): void => this.number({ text: written, place, name: false });
    found.refuse(walkTexts(input.value, parts.config.limits, visit, visitNumber));
    for (const index of this.work.exhausted) {
      found.escalateOnce('SCAN_BUDGET', this.engine.rules[index]?.id ?? 'budget/rules');
    }
    for (const part of this.effort.exhausted) found.escalateOnce('SCAN_BUDGET', `budget/${part}`);
    return found;
  }

  private schemaFindings(schemaId: string): readonly Finding[] {
    const { type, value } = this.input;
    if (type === null) return [finding('SCAN_TYPE_MISMATCH', `schema/${schemaId}`)];
    return this.parts.config.schemas.check(schemaId, type, value);
  }

  private text(where: TextPlace): void {
    const { clean } = this.parts;
    const { text } = where;
    this.where = where;
    this.effort.allow(text.length);
    if (!where.name && where.place !== null) this.named(text, where.place.segment);
    if (isShortWord(text)) {
      this.inClear(text);
      if (!where.name) this.joined(text, sameSpan);
      return;
    }
    if (clean.has(text, this.mode)) {
      if (!where.name) this.joined(text, sameSpan);
      return;
    }
    if (!this.effort.take('decoding', stepsOf.text)) {
      // What stands there in clear is looked at all the same: thousands of texts hide no secret.
      this.inClear(text);
      return;
    }
    const heardBefore = this.heard;
    const [first, ...others] = this.read(where);
    if (first === undefined) return;
    const isClean = this.heard === heardBefore && others.length === 0 && first.text === text && !this.isExhausted;
    if (isClean) clean.add(text, this.mode);
    if (!where.name) this.joined(first.text, first.spanOf);
  }

  /** A card is one whether it is written as a text or not, and so is what its name says to be of a person. */
  private number(where: TextPlace): void {
    this.where = where;
    if (where.place !== null) this.named(where.text, where.place.segment);
    if (!mayBePersonal(where.text)) return;
    this.view = { text: where.text, steps: [], spanOf: sameSpan };
    this.effort.allow(where.text.length);
    findPersonal(where.text, this.personalWork, this.onPersonal);
  }

  /** As it stands: rules and the patterns of the mesh file, to which a short word may be the word. */
  private inClear(text: string): void {
    const view: View = { text, steps: [], spanOf: sameSpan };
    this.view = view;
    this.engine.scan(text, this.work, this.onMatch);
    for (const rule of this.parts.linearRules) this.linearRule(rule, view);
  }

  /** A value that the name of its member says to be of a person, whatever it is. */
  private named(text: string, name: string): void {
    const personalClass = classByName(name, text);
    if (personalClass === null) return;
    this.addPersonal({ rule: 'personal/by-name', class: personalClass, start: 0, end: text.length, isDoubtful: true }, sameSpan);
  }

  private read(where: TextPlace): readonly View[] {
    const reading = readText(where.text, this.effort, this.onView);
    for (const run of reading.hidden) {
      this.heard += 1;
      this.found.add('SCAN_HIDDEN_TEXT', hiddenRules[run.kind], hiddenOutcome(run), run, where);
    }
    const [first] = reading.views;
    if (first === undefined) return [];
    // A rule that has spoken of one way to read the text has nothing to add about the next.
    for (const rule of this.parts.linearRules) reading.views.some((view) => this.linearRule(rule, view));
    this.leak(reading.views);
    return reading.views;
  }

  private get isExhausted(): boolean {
    return this.work.exhausted.size > 0 || this.effort.exhausted.size > 0;
  }

  private readonly onView = (view: View): void => this.scanView(view);

  private scanView(view: View): void {
    this.view = view;
    this.engine.scan(view.text, this.work, this.onMatch);
    findPersonal(view.text, this.personalWork, this.onPersonal);
  }

  /**
   * The end of the last message of this stream and the beginning of this one, as one text. A message of many
   * texts is put to what went before as far as its share of the effort goes, and the rest of it is noted: a table
   * that is sent again is no flood.
   */
  private joined(text: string, spanOf: View['spanOf']): void {
    const { places, effort, found } = this;
    if (places === null || text === '') return;
    this.joins += 1;
    const place = this.joins > placesKept ? null : places.of(this.where.place);
    const joined = place === null ? null : this.parts.fragments.joinWith(place, text);
    if (place !== null && joined === null) return;
    const before = effort.spent;
    if (place === null || joined === null || this.joinSteps > effort.ofJoins || !effort.takeSpare('decoding', stepsOfJoin(joined))) {
      found.noteOnce('SCAN_NOT_JOINED', 'budget/joins');
      return;
    }
    const heardBefore = this.heard;
    this.seams = joined;
    this.scanView({
      text: joined.text,
      steps: ['split'],
      spanOf: (start, end) => spanOf(Math.max(0, joined.placeOf(start)), joined.placeOf(end - 1) + 1),
    });
    this.seams = null;
    this.joinSteps += effort.spent - before;
    if (this.heard === heardBefore && !this.isExhausted) this.parts.fragments.isClean(place, joined);
  }

  /** In a joined text only what lies on both sides of a seam is new. */
  private isOld(start: number, end: number): boolean {
    return this.seams !== null && !this.seams.isAcross(start, end);
  }

  private readonly onMatch: OnMatch = (rule, outcome, start, end) => {
    const personalClass = classOfRule.get(rule.id);
    if (personalClass !== undefined) {
      this.onPersonal({ rule: rule.id, class: personalClass, start, end, isDoubtful: true });
      return;
    }
    this.heard += 1;
    if (!rule.appliesToUser && this.input.channel === 'user') return;
    const { view, where, found } = this;
    if (view === null || this.isOld(start, end)) return;
    const span = view.spanOf(start, end);
    const hiding = hidingOf(view.steps);
    const meant = hiding === null ? outcome : hiding.raise(outcome);
    // What was seen in clear is not hidden, though it stands near something that is.
    const isNew = found.add(rule.code, rule.id, meant, span, where, outcome);
    if (isNew && hiding !== null) found.add('SCAN_HIDDEN_TEXT', hiding.rule, meant, span, where);
  };

  private readonly onPersonal = (match: PersonalMatch): void => {
    this.heard += 1;
    const { view } = this;
    if (view !== null && !this.isOld(match.start, match.end)) this.addPersonal(match, view.spanOf);
  };

  private addPersonal(match: PersonalMatch, spanOf: View['spanOf']): void {
    const { input, where } = this;
    const action = actionFor(match.class, input.classification ?? 'internal', this.parts.settings.data);
    const meant = outcomeOf(action, input.schemaId);
    const outcome = meant === 'NO-GO' && match.isDoubtful === true ? 'ESCALATE' : meant;
    const isPaid = this.effort.take('personal-data', stepsOf.found);
    // One refusal is told of whatever was found before it.
    if (!isPaid && (outcome !== 'NO-GO' || this.isRefusedForData)) return;
    if (outcome === 'NO-GO') this.isRefusedForData = true;
    this.found.add('SCAN_PERSONAL_DATA', match.rule, outcome, spanOf(match.start, match.end), where);
  }

  /** True when there is no need to look at further views. */
  private linearRule(rule: LinearRule, view: View): boolean {
    const steps = stepsOfPattern(rule, view.text);
    if (this.userSteps + steps > userStepsMax) {
      this.heard += 1;
      this.found.escalateOnce('SCAN_BUDGET', rule.id);
      return true;
    }
    this.userSteps += steps;
    const match = rule.linear.find(view.text, 0);
    if (match === null) return false;
    this.heard += 1;
    const span = view.spanOf(match.start, match.end);
    this.found.add(rule.code, rule.id, rule.outcome, span, this.where);
    return true;
  }

  private leak(views: readonly View[]): void {
    const { fingerprint } = this.parts;
    if (fingerprint === null || this.input.leaves !== true) return;
    for (const view of views) {
      const place = fingerprint.find(view.text);
      if (place === null) continue;
      this.heard += 1;
      const span = view.spanOf(place.start, place.end);
      this.found.add('SCAN_PROMPT_LEAK', 'output/system-prompt', 'NO-GO', span, this.where);
      return;
    }
  }
}

/** All of the input that decides which rules look at a text. */
function modeOf({ channel, leaves, towardsPerson }: ScanInput): number {
  return (channel === 'user' ? 1 : 0) | (leaves === true ? 2 : 0) | (towardsPerson === true ? 4 : 0);
}

function stepsOfJoin({ text }: JoinedText): number {
  return stepsOf.join + stepsOf.character * text.length;
}

function sameSpan(start: number, end: number): Span {
  return { start, end };
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

/** Written down once: a text made of thousands of such runs would put as many names together. */
const hiddenRules: { readonly [kind in HiddenRun['kind']]: string } = {
  'tag-characters': 'hidden/tag-characters',
  'variation-selectors': 'hidden/variation-selectors',
  'zero-width': 'hidden/zero-width',
  'bidi-override': 'hidden/bidi-override',
};

function hiddenOutcome(run: HiddenRun): 'NO-GO' | 'ESCALATE' {
  return run.kind === 'tag-characters' || run.kind === 'variation-selectors' ? 'NO-GO' : 'ESCALATE';
}
