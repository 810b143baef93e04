// SPDX-License-Identifier: Apache-2.0
import { decodeBlobs } from './blobs.ts';
import { depthMax, Effort, stepsOf, viewsMax } from './effort.ts';
import { unescape } from './escapes.ts';
import { fold } from './fold.ts';
import { inHexDigits, undoLeetDigits } from './leet-digits.ts';
import { unleet, unrotate } from './letters.ts';
import { render, renderSource } from './markup.ts';
import { normalise } from './normalise.ts';
import type { HiddenRun } from './normalise.ts';
import { spellSmuggled } from './smuggled.ts';
import { surveyOf } from './survey.ts';
import { joinTokenLists } from './token-lists.ts';
import { derive } from './view.ts';
import type { Rewrite, Span, Step, View } from './view.ts';

export type Reading = {
  /** The normalised text first, whole; then the changed places of each way to read it. */
  readonly views: readonly View[];
  /** Runs of characters that people do not see, in the text itself. */
  readonly hidden: readonly HiddenRun[];
  /** True when the budget ended before the encodings did: what is left was not looked at. */
  readonly exhausted: boolean;
};

/** Called with each view before what is hidden in it is looked for, so that a flood hides nothing in clear. */
export type OnView = (view: View) => void;

/**
 * Every way in which a model or a program may read a text: folded, rendered, and with encodings
 * undone, one inside the other, as far as the effort allows. Pure, linear in the text, never throws.
 */
export function readText(text: string, effort = new Effort(text.length), onView: OnView = ignore): Reading {
  const normal = normalise(text);
  const isNormal = normal.text === text;
  const first: View = {
    text: normal.text,
    steps: noSteps,
    spanOf: isNormal
      ? sameSpan
      : (start, end) => ({ start: normal.originalOf(start), end: normal.originalOf(end) }),
  };
  const reader = new Reader(effort, first, onView);
  if (!isNormal && effort.take('decoding', stepsOf.normal)) {
    const whole: View = { text, steps: noSteps, spanOf: sameSpan };
    reader.add(whole, 'invisible', spellSmuggled(text, effort));
  }
  return { views: reader.read(), hidden: normal.hidden, exhausted: effort.exhausted.has('decoding') };
}

function ignore(): void {}

const noSteps: readonly Step[] = [];

function sameSpan(start: number, end: number): Span {
  return { start, end };
}

/** What is known of a view before it is expanded. */
type Origin = {
  /** The parts that the rewrite which made it wrote, start and end in turn; null where not known. */
  readonly seams: readonly number[] | null;
  /**
   * Steps that were taken beside the ones that led here. Two that do not meet give one text in either
   * order, so these are taken again only where they reach something that is new here.
   */
  readonly asleep: ReadonlySet<Step>;
};

const unknownOrigin: Origin = { seams: null, asleep: new Set() };

class Reader {
  private readonly views: View[];
  private readonly origins: Origin[] = [unknownOrigin];
  /** Texts of the views; null as long as the first is the only one, as it is of most texts. */
  private seen: Set<string> | null = null;
  private readonly effort: Effort;
  private readonly onView: OnView;

  constructor(effort: Effort, first: View, onView: OnView) {
    this.effort = effort;
    this.onView = onView;
    this.views = [first];
  }

  /** Breadth first: what is hidden least is read first. */
  read(): readonly View[] {
    for (let index = 0; index < this.views.length; index += 1) {
      const view = this.views[index];
      if (view === undefined) continue;
      this.onView(view);
      this.expand(view, this.origins[index] ?? unknownOrigin);
    }
    return this.views;
  }

  add(parent: View, step: Step, rewrite: Rewrite, asleep: ReadonlySet<Step> = unknownOrigin.asleep): void {
    if (rewrite.count === 0) return;
    const view = derive(parent, step, rewrite);
    if (view === null) return;
    if (!this.effort.take('decoding', stepsOf.view + stepsOf.character * view.text.length)) return;
    if (depthOf(view) > depthMax || this.views.length >= viewsMax) {
      this.effort.exhausted.add('decoding');
      return;
    }
    const normal = normalise(view.text);
    const isNormal = normal.text === view.text;
    // What normalising strips may spell something.
    if (!isNormal) this.add(view, 'invisible', spellSmuggled(view.text, this.effort));
    this.seen ??= new Set([this.views[0]?.text ?? '']);
    if (this.seen.has(normal.text)) return;
    this.seen.add(normal.text);
    this.views.push(isNormal ? view : normalised(view, normal));
    this.origins.push({ seams: isNormal ? view.seams : null, asleep });
  }

  private expand(view: View, origin: Origin): void {
    const { text } = view;
    const { effort } = this;
    const last = view.steps.at(-1);
    if (last !== undefined && inHexDigits.has(last)) {
      this.add(view, 'leet', undoLeetDigits(text, origin.seams, effort), origin.asleep);
    }
    const survey = surveyOf(text);
    if (survey === null || !effort.take('decoding', stepsOf.survey)) return;
    let taken = origin.asleep;
    const take = (step: Step, rewrite: Rewrite): void => {
      if (rewrite.count === 0) return;
      const isOld = origin.asleep.has(step) && origin.seams !== null && !rewrite.touches(origin.seams);
      if (!isOld) this.add(view, step, rewrite, without(taken, step));
      if (!taken.has(step)) taken = new Set(taken).add(step);
    };
    if (survey.escapes.length > 0) take('escapes', unescape(text, survey.escapes, effort));
    if (survey.runs.length > 0) {
      const { rewrite, steps } = decodeBlobs(text, survey.runs, effort);
      const [first = 'base64'] = steps;
      take(steps.has('gzip') ? 'gzip' : first, rewrite);
    }
    if (survey.lists.length > 0) take('number-list', joinTokenLists(text, survey.lists, effort));
    if (!survey.isAscii) take('unicode-fold', fold(text, effort));
    if (survey.marks.length > 0) {
      const { rewrite, isNested } = render(text, survey.marks, effort);
      take('markup', rewrite);
      if (isNested) take('markup', renderSource(text, survey.marks, effort));
    }
    if (survey.mixed.length > 0) take('leet', unleet(text, survey.mixed, effort));
    if (survey.rotated.length > 0 && !view.steps.includes('rot13')) {
      take('rot13', unrotate(text, survey.rotated, effort));
    }
  }
}

function without(steps: ReadonlySet<Step>, step: Step): ReadonlySet<Step> {
  if (!steps.has(step)) return steps;
  return new Set([...steps].filter((other) => other !== step));
}

/** One encoding over itself counts once: backslashes double with every program that passes a text on. */
function depthOf({ steps }: View): number {
  return steps.reduce((depth, step, index) => (step === steps[index - 1] ? depth : depth + 1), 0);
}

function normalised(view: View, normal: ReturnType<typeof normalise>): View {
  return {
    ...view,
    text: normal.text,
    spanOf: (start, end) => view.spanOf(normal.originalOf(start), normal.originalOf(end)),
  };
}
