// SPDX-License-Identifier: Apache-2.0
import { longestMatch } from './expression-length.ts';
import { KeywordAutomaton } from './keyword-automaton.ts';
import type { Rule } from './rule.ts';
import { ScannerError } from './scanner-error.ts';

/** Where a rule matched, in the text that was scanned. */
export type OnMatch = (rule: Rule, outcome: Rule['outcome'], start: number, end: number) => void;

/**
 * What one scan may spend, in characters that expressions may read. Each rule has a part of its
 * own, so that a text which exhausts one rule does not silence the others.
 */
export type WorkLimits = { readonly perRule: number; readonly total: number };

/** Spent work of one scan over all its strings. */
export type Work = {
  readonly spent: Int32Array;
  total: number;
  /** Rules that did not come to an end, by index. */
  readonly exhausted: Set<number>;
  /** Where the last match of each rule in the present text ends. */
  readonly ends: Int32Array;
  matched: boolean;
};

/** What an attempt costs beside the characters it may read. */
const attemptCost = 40;
/** No rule matches less than `[inst]`. */
const matchLengthMin = 6;

/** All shipped rules behind one pass for their keywords. */
export class RuleEngine {
  readonly rules: readonly Rule[];
  private readonly automaton: KeywordAutomaton;
  private readonly ruleOfKeyword: number[] = [];
  private readonly keywordLengths: number[] = [];
  /** Characters that one attempt of each rule may read. */
  private readonly reaches: number[] = [];

  constructor(rules: readonly Rule[]) {
    this.rules = rules;
    const keywords: string[] = [];
    for (const [index, rule] of rules.entries()) {
      this.reaches.push(reachOf(rule));
      for (const keyword of rule.keywords) {
        keywords.push(keyword);
        this.ruleOfKeyword.push(index);
        this.keywordLengths.push(keyword.length);
      }
    }
    this.automaton = new KeywordAutomaton(keywords);
  }

  newWork(): Work {
    const count = this.rules.length;
    return {
      spent: new Int32Array(count),
      total: 0,
      exhausted: new Set(),
      ends: new Int32Array(count),
      matched: false,
    };
  }

  /** Time is linear in the text and bounded by the limits; never throws. */
  scan(text: string, work: Work, limits: WorkLimits, onMatch: OnMatch): void {
    if (text.length < matchLengthMin) return;
    if (work.matched) work.ends.fill(0);
    work.matched = false;
    this.automaton.scan(text, (keyword, keywordEnd) => {
      const index = this.ruleOfKeyword[keyword] ?? -1;
      const rule = this.rules[index];
      if (rule === undefined) return;
      const start = keywordEnd - (this.keywordLengths[keyword] ?? 0);
      // Inside the last match of the same rule there is nothing new to find.
      if (start < (work.ends[index] ?? 0)) return;
      if (rule.wordStart && rule.before === 0 && isWordUnit(text.charCodeAt(start - 1))) return;
      const reach = this.reaches[index] ?? 0;
      if (!pay(work, limits, index, reach)) return;
      const match = attempt(rule, reach, text, start);
      if (match === null) return;
      work.ends[index] = match.end;
      work.matched = true;
      const outcome = outcomeOf(rule, text.slice(match.start, match.end));
      if (outcome !== null) onMatch(rule, outcome, match.start, match.end);
    });
  }
}

function pay(work: Work, limits: WorkLimits, index: number, reach: number): boolean {
  const cost = attemptCost + reach;
  const spent = (work.spent[index] ?? 0) + cost;
  if (spent > limits.perRule || work.total + cost > limits.total) {
    work.exhausted.add(index);
    return false;
  }
  work.spent[index] = spent;
  work.total += cost;
  return true;
}

function attempt(
  rule: Rule,
  reach: number,
  text: string,
  start: number,
): { readonly start: number; readonly end: number } | null {
  if (rule.before === 0) {
    rule.expression.lastIndex = start;
    const match = rule.expression.exec(text);
    return match === null ? null : { start, end: start + match[0].length };
  }
  const from = Math.max(0, start - rule.before);
  const match = rule.expression.exec(text.slice(from, start + reach));
  if (match === null) return null;
  const found = from + match.index;
  if (rule.wordStart && isWordUnit(text.charCodeAt(found - 1))) return null;
  return { start: found, end: found + match[0].length };
}

function outcomeOf(rule: Rule, match: string): Rule['outcome'] | null {
  return rule.verify === null || rule.verify(match) ? rule.outcome : rule.otherwise;
}

/** ASCII letters and digits; NaN, before the text, is none. */
function isWordUnit(code: number): boolean {
  if (code >= 0x30 && code <= 0x39) return true;
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

/** Throws `ScannerError` SCAN_RULE_INVALID on a rule that is not bounded. */
function reachOf(rule: Rule): number {
  if (rule.keywords.length === 0 || rule.expression.sticky !== (rule.before === 0)) {
    throw new ScannerError('SCAN_RULE_INVALID', `Rule ${rule.id} has no place to start.`);
  }
  // One more for the character that a look-ahead may ask for.
  return longestMatch(rule.expression) + 1;
}
