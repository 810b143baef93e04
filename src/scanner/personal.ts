// SPDX-License-Identifier: Apache-2.0
import { isCard } from './check-digits.ts';
import { findAddresses } from './e-mail.ts';
import { findIbans } from './iban.ts';
import { identityNumbers, letteredNumbers, repaired } from './identity-numbers.ts';
import type { PersonalClass } from './identity-numbers.ts';
import { asDigits, eachNumberGroup } from './number-groups.ts';
import type { NumberGroup } from './number-groups.ts';
import { findPhone } from './phone.ts';

export type PersonalMatch = {
  /** `personal/card`; the class decides what is done. */
  readonly rule: string;
  readonly class: PersonalClass;
  readonly start: number;
  readonly end: number;
};

/** What one scan may spend on numbers; all its texts together. */
export class PersonalWork {
  exhausted = false;
  private windows = 12_000;
  private lookups = 600;
  private phones = 24;

  takeWindow(): boolean {
    this.windows -= 1;
    return this.within(this.windows);
  }

  /** A look at the words before a number. */
  takeLookup(): boolean {
    this.lookups -= 1;
    return this.within(this.lookups);
  }

  takePhone(): boolean {
    this.phones -= 1;
    return this.within(this.phones);
  }

  private within(left: number): boolean {
    if (left < 0) this.exhausted = true;
    return left >= 0;
  }
}

type OnPersonal = (match: PersonalMatch) => void;

const nameDistanceMax = 48;
const digitsMax = 19;

/**
 * Finds personal, financial and health data by form, check digit and the words before it. Linear in
 * the text, within `work`. It knows forms, not people: a name alone is not found.
 */
export function findPersonal(text: string, work: PersonalWork, onMatch: OnPersonal): void {
  if (text.includes('@') || text.includes('(at)') || text.includes('[at]')) {
    findAddresses(text, (start, end) => onMatch({ rule: 'personal/e-mail', class: 'contact', start, end }));
  }
  if (!/[0-9]/.test(text)) return;
  findIbans(text, (start, end) => onMatch({ rule: 'personal/iban', class: 'financial', start, end }));
  findLettered(text, work, onMatch);
  eachNumberGroup(text, (group) => inGroup(text, group, work, onMatch));
}

function inGroup(text: string, group: NumberGroup, work: PersonalWork, onMatch: OnPersonal): void {
  let count = 0;
  for (const token of group) count += token.digits.length;
  if (count < 7) return;
  // Digits that stand alone are a number only all together: any few of them would be too many.
  const isScattered = count < 2 * group.length;
  for (let first = 0; first < group.length; first += 1) {
    // The longest first: the beginning of a card may pass for something shorter.
    for (let last = lastWithin(group, first); last >= first; last -= 1) {
      if (isScattered && (first > 0 || last < group.length - 1)) continue;
      const window = group.slice(first, last + 1);
      const digits = window.map((token) => token.digits).join('');
      if (digits.length < 7) break;
      if (!work.takeWindow()) return;
      const found = digits.length > digitsMax ? null : numberFor(text, window, digits, work);
      if (found === null) continue;
      onMatch(found);
      first = last;
      break;
    }
  }
}

/** The last token up to which there are no more digits than any number has. */
function lastWithin(group: NumberGroup, first: number): number {
  let last = first;
  let count = group[first]?.digits.length ?? 0;
  while (last + 1 < group.length && count + (group[last + 1]?.digits.length ?? 0) <= digitsMax) {
    last += 1;
    count += group[last]?.digits.length ?? 0;
  }
  return last;
}

function numberFor(
  text: string,
  window: NumberGroup,
  digits: string,
  work: PersonalWork,
): PersonalMatch | null {
  const start = window[0]?.start ?? 0;
  const end = window.at(-1)?.end ?? 0;
  if (digits.length >= 13 && isCard(digits)) {
    return { rule: 'personal/card', class: 'financial', start, end };
  }
  for (const number of identityNumbers) {
    if (number.length !== digits.length || !number.holds(digits)) continue;
    const isWritten = number.groupsAreEnough && hasGroups(window, number.groups);
    if (!isWritten && !isNamed(text, start, number.names, work)) continue;
    return { rule: `personal/${number.id}`, class: number.class, start, end };
  }
  const phone = digits.length <= 15 ? findPhone(text, start, end, digits, hasGroups(window, [3, 3, 4]), work) : null;
  return phone === null ? null : { rule: 'personal/phone', class: 'contact', start: phone, end };
}

function hasGroups(window: NumberGroup, groups: readonly number[] | null): boolean {
  if (groups === null || window.length !== groups.length) return false;
  return window.every((token, index) => token.digits.length === groups[index]);
}

/** One of the names stands shortly before the position, as a word of its own or part of one. */
export function isNamed(
  text: string,
  position: number,
  names: readonly string[],
  work: PersonalWork,
): boolean {
  if (names.length === 0 || !work.takeLookup()) return false;
  const before = text.slice(Math.max(0, position - nameDistanceMax), position).toLowerCase();
  return names.some((name) => {
    const place = before.lastIndexOf(name);
    return place >= 0 && !isLetter(before.charCodeAt(place - 1));
  });
}

const letteredLengths = new Set([9, 10, 11, 16]);
const letteredLengthMax = 16;

/** Runs of capitals and digits, alone or joined over single separators. */
function findLettered(text: string, work: PersonalWork, onMatch: OnPersonal): void {
  let from = 0;
  for (let position = 0; position < text.length; position += 1) {
    if (position < from || !isCapital(text.charCodeAt(position))) continue;
    if (isWordUnit(text.charCodeAt(position - 1))) continue;
    const end = letteredAt(text, position, work, onMatch);
    if (end > 0) from = end;
  }
}

/** End of the number that begins here; -1 when none does. */
function letteredAt(text: string, start: number, work: PersonalWork, onMatch: OnPersonal): number {
  let number = '';
  let digits = 0;
  for (let position = start; number.length <= letteredLengthMax; position += 1) {
    const code = text.charCodeAt(position);
    if (isCapital(code)) {
      number += text.charAt(position);
      if (code <= 0x39 || asDigits(text.charAt(position)) !== null) digits += 1;
      continue;
    }
    if (isWordUnit(code)) return -1;
    const isWhole = letteredLengths.has(number.length) && digits >= 5 && number.length <= letteredLengthMax;
    if (isWhole && work.takeWindow() && isLettered(text, number, start, position, work, onMatch)) {
      return position;
    }
    const isJoint = code === 0x20 || code === 0x2d || code === 0x2e;
    if (!isJoint || !isCapital(text.charCodeAt(position + 1))) return -1;
  }
  return -1;
}

function isLettered(
  text: string,
  number: string,
  start: number,
  end: number,
  work: PersonalWork,
  onMatch: OnPersonal,
): boolean {
  for (const kind of letteredNumbers) {
    const read = repaired(number, kind.template);
    if (!kind.shape.test(read) || !kind.holds(read)) continue;
    if (kind.names.length > 0 && !isNamed(text, start, kind.names, work)) continue;
    onMatch({ rule: `personal/${kind.id}`, class: kind.class, start, end });
    return true;
  }
  return false;
}

/** Also l and o, which pass for digits. */
function isCapital(code: number): boolean {
  if ((code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a)) return true;
  return code === 0x6c || code === 0x6f;
}

function isWordUnit(code: number): boolean {
  return isLetter(code) || (code >= 0x30 && code <= 0x39);
}

function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
