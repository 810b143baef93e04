// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { DataPolicy } from '../mesh/scanner-settings.ts';
import type { Classification } from '../message/envelope.ts';
import { isJsonObject, membersInOrder } from '../message/json.ts';
import type { JsonValue } from '../message/json.ts';
import { Effort } from '../text/effort.ts';
import { readText } from '../text/read-text.ts';
import { actionFor, rewritesAny } from './data-policy.ts';
import type { PersonalClass } from './identity-numbers.ts';
import { findPersonal, mayBePersonal, PersonalWork } from './personal.ts';
import type { PersonalMatch } from './personal.ts';
import { classByName, classOfRule, personalRules } from './personal-words.ts';
import { RuleEngine } from './rule-engine.ts';

export type Masked = {
  readonly value: JsonValue;
  readonly count: number;
  /** The work was spent before everything was looked at: data that was to be rewritten may still stand there. */
  readonly isUnfinished: boolean;
};

const wordRules = new RuleEngine(personalRules);

type Replacement = { readonly start: number; readonly end: number; readonly text: string };

/**
 * Replaces personal data in the strings of a value where the policy redacts or tokenises it. A token
 * is the same for the same text under the same key, so records still join; it cannot be turned back.
 * Names of members stay: a schema rests on them. The value itself when there is nothing to do. Its work is
 * bounded as that of a scan is; what is unfinished must not leave. Of what it gives it finds nothing more:
 * the bus looks once more, and takes what it finds for data that nobody rewrote.
 */
export function maskValue(
  value: JsonValue,
  classification: Classification,
  policy: DataPolicy,
  key: KeyObject,
): Masked {
  if (!rewritesAny(classification, policy)) return { value, count: 0, isUnfinished: false };
  let masked = maskOnce(value, classification, policy, key);
  let { count } = masked;
  for (let pass = 1; masked.count > 0 && !masked.isUnfinished; pass += 1) {
    if (pass > passesMax) return { value: masked.value, count, isUnfinished: true };
    const next = maskOnce(masked.value, classification, policy, key);
    masked = next;
    count += next.count;
  }
  return { ...masked, count };
}

/** What stands beside something that was replaced may be found only then; more often than this it is made to be. */
const passesMax = 3;

function maskOnce(
  value: JsonValue,
  classification: Classification,
  policy: DataPolicy,
  key: KeyObject,
): Masked {
  const effort = new Effort(0);
  const work = new PersonalWork(effort);
  let count = 0;
  let isUnfinished = false;
  const writtenFor = (personalClass: PersonalClass, what: string): string | null => {
    const action = actionFor(personalClass, classification, policy);
    if (action === 'redact') return `[redacted ${personalClass}]`;
    return action === 'tokenise' ? tokenFor(what, key) : null;
  };
  const maskedText = (text: string, name: string): string => {
    // It does not leave, and what is left to look at would only cost whoever looks.
    if (isUnfinished) return text;
    const personalClass = isReplacement(text) ? null : classByName(name, text);
    const whole = personalClass === null ? null : writtenFor(personalClass, text);
    if (whole !== null) {
      count += 1;
      return whole;
    }
    const { replacements, areAll } = replacementsIn(text, effort, work, writtenFor);
    count += replacements.length;
    isUnfinished ||= !areAll;
    return rewritten(text, replacements);
  };
  /** Where a schema wants a number, what is written instead is refused. */
  const maskedNumber = (item: number, name: string): JsonValue => {
    const written = String(item);
    const isAny = mayBePersonal(written) || classByName(name, written) !== null;
    const text = isAny ? maskedText(written, name) : written;
    return text === written ? item : text;
  };
  const masked = (item: JsonValue, name: string): JsonValue => {
    if (typeof item === 'string') return maskedText(item, name);
    if (typeof item === 'number') return maskedNumber(item, name);
    if (Array.isArray(item)) return item.map((member) => masked(member, ''));
    if (!isJsonObject(item)) return item;
    return Object.fromEntries(membersInOrder(item).map(([member, inner]) => [member, masked(inner, member)]));
  };
  const result = masked(value, '');
  return { value: count === 0 ? value : result, count, isUnfinished };
}

/** Written here before, or a token that the node keeps a name for: whatever its member is called, it tells nobody. */
function isReplacement(text: string): boolean {
  return /^(?:\[redacted [a-z-]{1,16}\]|tok_(?:[0-9a-f]{20}|[A-Za-z0-9_-]{22}))$/.test(text);
}

/** What is written for a text of a class; null where it stays. */
type WrittenFor = (personalClass: PersonalClass, what: string) => string | null;

function replacementsIn(
  text: string,
  effort: Effort,
  work: PersonalWork,
  writtenFor: WrittenFor,
): { readonly replacements: readonly Replacement[]; readonly areAll: boolean } {
  const found: Replacement[] = [];
  effort.allow(text.length);
  const words = wordRules.newWork(effort);
  for (const view of readText(text, effort).views) {
    const onPersonal = ({ class: personalClass, start, end }: Omit<PersonalMatch, 'rule'>): void => {
      const written = writtenFor(personalClass, view.text.slice(start, end));
      if (written !== null) found.push({ ...view.spanOf(start, end), text: written });
    };
    findPersonal(view.text, work, onPersonal);
    wordRules.scan(view.text, words, ({ id }, _outcome, start, end) => {
      const personalClass = classOfRule.get(id);
      if (personalClass !== undefined) onPersonal({ class: personalClass, start, end });
    });
  }
  const areAll = effort.exhausted.size === 0 && words.exhausted.size === 0;
  return { replacements: withoutOverlap(found), areAll };
}

/** The first to begin stays; what begins within it is gone with it. */
function withoutOverlap(found: readonly Replacement[]): readonly Replacement[] {
  const kept: Replacement[] = [];
  for (const item of found.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (item.start >= (kept.at(-1)?.end ?? 0)) kept.push(item);
  }
  return kept;
}

function rewritten(text: string, replacements: readonly Replacement[]): string {
  let written = '';
  let position = 0;
  for (const { start, end, text: replacement } of replacements) {
    written += text.slice(position, start) + replacement;
    position = end;
  }
  return written + text.slice(position);
}

function tokenFor(text: string, key: KeyObject): string {
  const normal = text.toLowerCase().replaceAll(/[\s().-]/g, '');
  return `tok_${createHmac('sha256', key).update(normal, 'utf8').digest('hex').slice(0, 20)}`;
}
