// SPDX-License-Identifier: Apache-2.0
import { stepsOf } from '../text/effort.ts';
import type { Effort, EffortPart } from '../text/effort.ts';
import { reachOf } from './expression-length.ts';
import type { Reach } from './expression-length.ts';
import { KeywordAutomaton } from './keyword-automaton.ts';
import type { Rule } from './rule.ts';
import { ScannerError } from './scanner-error.ts';

/** Where a rule matched, in the text that was scanned. */
export type OnMatch = (rule: Rule, outcome: Rule['outcome'], start: number, end: number) => void;

/** Spent work of one scan over all its strings. */
export type Work = {
  /** Shared with everything else that the scan does. */
  readonly effort: Effort;
  /** Steps of each rule, by index. */
  readonly spent: Float64Array;
  /** Rules that did not come to an end, by index. */
  readonly exhausted: Set<number>;
  /** Where the last match of each rule in the present text ends. */
  readonly ends: Int32Array;
  matched: boolean;
};

/** Of the places before a keyword most are left at their first character. */
const triesBefore = 6;
/** No rule matches less than `[inst]`. */
const matchLengthMin = 6;

/** All shipped rules behind one pass for their keywords. */
export class RuleEngine {
  readonly rules: readonly Rule[];
  private readonly automaton: KeywordAutomaton;
  private readonly ruleOfKeyword: number[] = [];
  private readonly keywordLengths: number[] = [];
  /** What each rule is paid from: words of the others keep no secret from being found. */
  private readonly parts: EffortPart[] = [];
  /** What one attempt of each rule may read. */
  private readonly reaches: Reach[] = [];

  constructor(rules: readonly Rule[]) {
    this.rules = rules;
    const keywords: string[] = [];
    for (const [index, rule] of rules.entries()) {
      this.reaches.push(reachOfRule(rule));
      this.parts.push(rule.code === 'SCAN_SECRET' ? 'secrets' : 'rules');
      for (const keyword of rule.keywords) {
        keywords.push(keyword);
        this.ruleOfKeyword.push(index);
        this.keywordLengths.push(keyword.length);
      }
    }
    this.automaton = new KeywordAutomaton(keywords);
  }

  newWork(effort: Effort): Work {
    const count = this.rules.length;
    return {
      effort,
      spent: new Float64Array(count),
      exhausted: new Set(),
      ends: new Int32Array(count),
      matched: false,
    };
  }

  /** Time is linear in the text and bounded by the effort; never throws. */
  scan(text: string, work: Work, onMatch: OnMatch): void {
    if (text.length < matchLengthMin) return;
    if (work.matched) work.ends.fill(0);
    work.matched = false;
    this.automaton.scan(text, (keyword, keywordEnd) => {
      const index = this.ruleOfKeyword[keyword] ?? -1;
      const rule = this.rules[index];
      const reach = this.reaches[index];
      const part = this.parts[index];
      if (rule === undefined || reach === undefined || part === undefined) return true;
      // The pass itself goes on to its end: it costs the same whatever it meets.
      if (!work.effort.take(part, stepsOf.keyword)) return true;
      const start = keywordEnd - (this.keywordLengths[keyword] ?? 0);
      // Inside the last match of the same rule there is nothing new to find.
      if (start < (work.ends[index] ?? 0)) return true;
      if (rule.wordStart && rule.before === 0 && isWordUnit(text.charCodeAt(start - 1))) return true;
      // To look how far it may read is work as well.
      if (work.exhausted.size > 0 && work.exhausted.has(index)) return true;
      // From several of the characters before the keyword an expression may read up to it.
      const read = triesBefore * rule.before + readable(text, start, reach);
      if (!pay(work, part, index, stepsOf.rule + stepsOf.ruleCharacter * read)) return true;
      const match = attempt(rule, reach.length, text, start);
      if (match === null) return true;
      if (!pay(work, part, index, rule.verify === null ? stepsOf.match : stepsOf.match + stepsOf.verify)) return true;
      work.ends[index] = match.end;
      work.matched = true;
      const outcome = outcomeOf(rule, text.slice(match.start, match.end));
      if (outcome !== null) onMatch(rule, outcome, match.start, match.end);
      return true;
    });
  }
}

function pay(work: Work, part: EffortPart, index: number, steps: number): boolean {
  const spent = (work.spent[index] ?? 0) + steps;
  if (!(spent <= work.effort.ofOneRule) || !work.effort.take(part, steps)) {
    work.exhausted.add(index);
    return false;
  }
  work.spent[index] = spent;
  return true;
}

/** Characters from `start` on that the expression may read: it ends at the first that it cannot. */
function readable(text: string, start: number, { length, units }: Reach): number {
  if (units === null) return length;
  const until = Math.min(text.length, start + length);
  let end = start;
  while (end < until) {
    const code = text.charCodeAt(end);
    if (code < units.length && units[code] === 0) break;
    end += 1;
  }
  return end - start;
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
function reachOfRule(rule: Rule): Reach {
  if (rule.keywords.length === 0 || rule.expression.sticky !== (rule.before === 0)) {
    throw new ScannerError('SCAN_RULE_INVALID', `Rule ${rule.id} has no place to start.`);
  }
  // One more for the character that a look-ahead may ask for.
  const { length, units } = reachOf(rule.expression);
  return { length: length + 1, units };
}
