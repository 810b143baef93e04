// SPDX-License-Identifier: Apache-2.0
import { stepsOf } from '../text/effort.ts';
import type { Effort } from '../text/effort.ts';
import { isCard, isIssuedRange } from './check-digits.ts';
import { findAddresses } from './e-mail.ts';
import { findIbans } from './iban.ts';
import { identityNumbers } from './identity-numbers.ts';
import type { PersonalClass } from './identity-numbers.ts';
import { findLettered } from './lettered-numbers.ts';
import { asDigits, digitAt, eachNumberGroup } from './number-groups.ts';
import type { NumberGroup } from './number-groups.ts';
import { numberTokens } from './number-tokens.ts';
import { NumberNames } from './number-names.ts';
import { findPhone } from './phone.ts';

export type PersonalMatch = {
  /** `personal/card`; the class decides what is done. */
  readonly rule: string;
  readonly class: PersonalClass;
  readonly start: number;
  readonly end: number;
  /** Told by words alone: it may be about nobody, so it is never refused by itself. */
  readonly isDoubtful?: true;
};

/** To look one up costs as much as a thousand characters of text. */
const phonesMax = 8;

/** What one scan may spend on numbers; all its texts together. */
export class PersonalWork {
  private readonly effort: Effort;
  private phones = phonesMax;
  private readonly knownPhones = new Map<string, boolean>();

  constructor(effort: Effort) {
    this.effort = effort;
  }

  take(steps: number): boolean {
    return this.effort.take('personal-data', steps);
  }

  /** Whether a number that was looked up is one; null where it was not. */
  knownPhone(key: string): boolean | null {
    return this.knownPhones.get(key) ?? null;
  }

  rememberPhone(key: string, isOne: boolean): void {
    this.knownPhones.set(key, isOne);
  }

  /** False when no more numbers are looked up: then what has the form of one counts as one. */
  takePhone(): boolean {
    this.phones -= 1;
    return this.phones >= 0 && this.effort.take('personal-data', stepsOf.phone);
  }
}

/** Of numbers without a name only cards are known, and one has so many digits. */
const cardLengthMin = 13;

/** A JSON number that may be of a person, as it is written. */
export function mayBePersonal(written: string): boolean {
  return written.length >= cardLengthMin && /^[0-9]+$/.test(written);
}

type OnPersonal = (match: PersonalMatch) => void;

const digitsMax = 19;
const digitsMin = 7;
const byLength = Array.from({ length: digitsMax + 1 }, (_, length) =>
  identityNumbers.filter((number) => number.length === length),
);

/**
 * Finds personal, financial and health data by form, check digit and the words before it. Linear in
 * the text, within the effort of `work`. It knows forms, not people: a name alone is not found.
 */
export function findPersonal(text: string, work: PersonalWork, onMatch: OnPersonal): void {
  // First what a policy is likelier to refuse: no list of addresses keeps a card from being found.
  findNumbers(text, work, onMatch);
  if (text.includes('@') || text.includes('(at)') || text.includes('[at]')) {
    findAddresses(text, work, (start, end) => onMatch({ rule: 'personal/e-mail', class: 'contact', start, end }));
  }
}

function findNumbers(text: string, work: PersonalWork, onMatch: OnPersonal): void {
  const tokens = numberTokens(text);
  if (tokens.count === 0 || !work.take(stepsOf.number * tokens.count)) return;
  findIbans(text, tokens, work, (start, end) => onMatch({ rule: 'personal/iban', class: 'financial', start, end }));
  // Most texts hold no number that needs a name.
  let names: NumberNames | null = null;
  const isNamed = (id: string, position: number): boolean => {
    names ??= new NumberNames(text);
    return names.isNamed(id, position);
  };
  findLettered(text, tokens, work, isNamed, onMatch);
  eachNumberGroup(text, tokens, (group) => inGroup({ text, group, work, isNamed, onMatch, digits: null }));
}

type GroupScan = {
  readonly text: string;
  readonly group: NumberGroup;
  readonly work: PersonalWork;
  readonly isNamed: (id: string, position: number) => boolean;
  readonly onMatch: OnPersonal;
  digits: string | null;
};

/** Digits before each token of the group that is looked at; used again for the next group. */
const before = new Int32Array(65);

function inGroup(scan: GroupScan): void {
  const { group, onMatch } = scan;
  const { count } = group;
  // Digits that stand alone are a number only all together: any few of them would be too many.
  const isScattered = group.digits < 2 * count;
  if (isScattered && group.digits > digitsMax) return;
  // Of pairs in a row, a number is what the row begins or ends with.
  const isDense = group.digits < 3 * count;
  before[0] = 0;
  for (let token = 0; token < count; token += 1) {
    before[token + 1] = (before[token] ?? 0) + (group.ends[token] ?? 0) - (group.starts[token] ?? 0);
  }
  let last = 0;
  for (let first = 0; first < count; first += 1) {
    const from = before[first] ?? 0;
    while (last < count && (before[last + 1] ?? 0) - from <= digitsMax) last += 1;
    // The longest first: the beginning of a card may pass for something shorter.
    for (let end = last - 1; end >= first; end -= 1) {
      const length = (before[end + 1] ?? 0) - from;
      if (length < digitsMin || (isScattered && (first > 0 || end < count - 1))) break;
      if (isDense && first > 0 && end < count - 1) continue;
      if (!scan.work.take(stepsOf.window)) return;
      const found = numberFor(scan, first, end, length);
      if (found === null) continue;
      onMatch(found);
      first = end;
      break;
    }
    if (last <= first) last = first + 1;
  }
}

/** Digits of the tokens from `first` to `last`; those of the whole group are put together once. */
function digitsOf(scan: GroupScan, first: number, last: number): string {
  scan.digits ??= digitsOfGroup(scan);
  return scan.digits.slice(before[first] ?? 0, before[last + 1] ?? 0);
}

function digitsOfGroup({ text, group }: GroupScan): string {
  let written = '';
  for (let token = 0; token < group.count; token += 1) {
    written += text.slice(group.starts[token], group.ends[token]);
  }
  return asDigits(written) ?? '';
}

/** The first four digits of a window, as a number. */
function firstFour({ text, group }: GroupScan, first: number): number {
  let four = 0;
  let token = first;
  let position = group.starts[token] ?? 0;
  for (let count = 0; count < 4; count += 1) {
    if (position === group.ends[token]) {
      token += 1;
      position = group.starts[token] ?? 0;
    }
    four = four * 10 + digitAt(text.charCodeAt(position));
    position += 1;
  }
  return four;
}

function numberFor(scan: GroupScan, first: number, last: number, length: number): PersonalMatch | null {
  const { text, group, work, isNamed } = scan;
  const start = group.starts[first] ?? 0;
  const end = group.ends[last] ?? 0;
  const span = { start, end };
  if (length >= 13 && isIssuedRange(firstFour(scan, first), length) && work.take(stepsOf.check)) {
    if (isCard(digitsOf(scan, first, last))) return { rule: 'personal/card', class: 'financial', ...span };
  }
  for (const number of byLength[length] ?? []) {
    const isWritten = number.groupsAreEnough && hasGroups(group, first, last, number.groups);
    if (!isWritten && !isNamed(number.id, start)) continue;
    if (!work.take(stepsOf.check) || !number.holds(digitsOf(scan, first, last))) continue;
    return { rule: `personal/${number.id}`, class: number.class, ...span };
  }
  if (length > 15) return null;
  const isAmerican = hasGroups(group, first, last, americanGroups);
  if (!isAmerican && !mayBeCalled(text, start) && !isNamed('phone', start)) return null;
  const digits = digitsOf(scan, first, last);
  const phone = findPhone({ text, start, end, digits, isAmerican, work, isNamed });
  return phone === null ? null : { rule: 'personal/phone', class: 'contact', start: phone, end };
}

const americanGroups = [3, 3, 4];

/** After a plus sign, or beginning with `00`. */
function mayBeCalled(text: string, start: number): boolean {
  for (let position = start - 1; position >= start - 3; position -= 1) {
    if (text.charCodeAt(position) === 0x2b) return true;
  }
  return text.charCodeAt(start) === 0x30 && text.charCodeAt(start + 1) === 0x30;
}

function hasGroups(
  group: NumberGroup,
  first: number,
  last: number,
  groups: readonly number[] | null,
): boolean {
  if (groups === null || last - first + 1 !== groups.length) return false;
  for (let index = 0; index < groups.length; index += 1) {
    const length = (group.ends[first + index] ?? 0) - (group.starts[first + index] ?? 0);
    if (length !== groups[index]) return false;
  }
  return true;
}
