// SPDX-License-Identifier: Apache-2.0
import { DecodeBudget, depthMax, viewsMax } from './budget.ts';
import { decodeBlobs } from './blobs.ts';
import { unescape } from './escapes.ts';
import { fold } from './fold.ts';
import { unleet, unrotate } from './letters.ts';
import { render } from './markup.ts';
import { normalise } from './normalise.ts';
import type { HiddenRun } from './normalise.ts';
import { spellSmuggled } from './smuggled.ts';
import { surveyOf } from './survey.ts';
import type { Survey } from './survey.ts';
import { joinTokenLists } from './token-lists.ts';
import { derive } from './view.ts';
import type { Rewrite, Step, View } from './view.ts';

export type Reading = {
  /** The normalised text first, whole; then the changed places of each way to read it. */
  readonly views: readonly View[];
  /** Runs of characters that people do not see, in the text itself. */
  readonly hidden: readonly HiddenRun[];
  /** True when the budget ended before the encodings did: what is left was not looked at. */
  readonly exhausted: boolean;
};

/**
 * Every way in which a model or a program may read a text: folded, rendered, and with encodings
 * undone, one inside the other, within a budget. Pure, linear in the text, never throws.
 */
export function readText(text: string, budget = new DecodeBudget(text.length)): Reading {
  const normal = normalise(text);
  const first: View = {
    text: normal.text,
    steps: [],
    spanOf: (start, end) => ({ start: normal.originalOf(start), end: normal.originalOf(end) }),
  };
  const reader = new Reader(budget, first);
  if (normal.text !== text) {
    const whole: View = { text, steps: [], spanOf: (start, end) => ({ start, end }) };
    reader.add(whole, 'invisible', spellSmuggled(text, budget));
  }
  return { views: reader.read(), hidden: normal.hidden, exhausted: budget.exhausted };
}

class Reader {
  private readonly views: View[];
  private readonly seen: Set<string>;
  private readonly budget: DecodeBudget;

  constructor(budget: DecodeBudget, first: View) {
    this.budget = budget;
    this.views = [first];
    this.seen = new Set([first.text]);
  }

  /** Breadth first: what is hidden least is read first. */
  read(): readonly View[] {
    for (let index = 0; index < this.views.length; index += 1) {
      const view = this.views[index];
      if (view !== undefined) this.expand(view);
    }
    return this.views;
  }

  add(parent: View, step: Step, rewrite: Rewrite): void {
    if (rewrite.count === 0) return;
    const view = derive(parent, step, rewrite);
    if (view === null || !this.budget.takeCharacters(view.text.length)) return;
    if (view.steps.length > depthMax || this.views.length >= viewsMax) {
      this.budget.exhausted = true;
      return;
    }
    const normal = normalise(view.text);
    // What normalising strips may spell something.
    if (normal.text !== view.text) {
      this.add(view, 'invisible', spellSmuggled(view.text, this.budget));
    }
    if (this.seen.has(normal.text)) return;
    this.seen.add(normal.text);
    this.views.push(normal.text === view.text ? view : normalised(view, normal));
  }

  private expand(view: View): void {
    const { text } = view;
    const survey = surveyOf(text);
    const { budget } = this;
    if (survey.escapes.length > 0) this.add(view, 'escapes', unescape(text, survey.escapes, budget));
    this.addBlobs(view, survey);
    if (survey.lists.length > 0) this.add(view, 'number-list', joinTokenLists(text, survey.lists, budget));
    if (!survey.isAscii) this.add(view, 'unicode-fold', fold(text, budget));
    if (survey.marks.length > 0) this.add(view, 'markup', render(text, survey.marks, budget));
    if (survey.mixed.length > 0) this.add(view, 'leet', unleet(text, survey.mixed, budget));
    if (survey.rotated.length > 0 && !view.steps.includes('rot13')) {
      this.add(view, 'rot13', unrotate(text, survey.rotated, budget));
    }
  }

  private addBlobs(view: View, survey: Survey): void {
    if (survey.runs.length === 0) return;
    const { rewrite, steps } = decodeBlobs(view.text, survey.runs, this.budget);
    if (rewrite.count === 0) return;
    const [first = 'base64'] = steps;
    this.add(view, steps.has('gzip') ? 'gzip' : first, rewrite);
  }
}

function normalised(view: View, normal: ReturnType<typeof normalise>): View {
  return {
    ...view,
    text: normal.text,
    spanOf: (start, end) => view.spanOf(normal.originalOf(start), normal.originalOf(end)),
  };
}
