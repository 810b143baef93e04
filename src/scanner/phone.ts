// SPDX-License-Identifier: Apache-2.0
import type { CountryCode } from 'libphonenumber-js/min';
import {
  getCountries, getCountryCallingCode, parsePhoneNumberFromString,
} from 'libphonenumber-js/min';
import type { PersonalWork } from './personal.ts';

const regions: readonly CountryCode[] = ['US', 'GB', 'DE', 'FR', 'ES', 'IT', 'IN', 'BR'];
const lengthMax = 32;

export type PhoneCandidate = {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly digits: string;
  /** Written in groups of three, three and four. */
  readonly isAmerican: boolean;
  readonly work: PersonalWork;
  readonly isNamed: (id: string, position: number) => boolean;
};

/**
 * Start of a phone number, with its plus sign; null when it is none. A number counts when it is
 * international (`+`, `00`) and valid, or in a usual national form after a word for a telephone, or
 * written in the groups of North America.
 */
export function findPhone(candidate: PhoneCandidate): number | null {
  const { text, start, end, digits, work } = candidate;
  if (end - start > lengthMax) return null;
  const before = text.slice(Math.max(0, start - 3), start);
  const plus = before.lastIndexOf('+');
  if (plus >= 0) {
    return isValid(`+${digits}`, null, work) ? start - before.length + plus : null;
  }
  if (digits.startsWith('00') && digits.length >= 11) {
    return isValid(`+${digits.slice(2)}`, null, work) ? start : null;
  }
  if (digits.length < 8 || digits.length > 12) return null;
  if (candidate.isAmerican && /[-.)]/.test(text.slice(start, end))) {
    return isValid(digits, 'US', work) ? start : null;
  }
  if (!candidate.isNamed('phone', start)) return null;
  return regions.some((region) => isValid(digits, region, work)) ? start : null;
}

function isValid(number: string, region: CountryCode | null, work: PersonalWork): boolean {
  if (region === null && !hasCallingCode(number)) return false;
  const key = `${region ?? ''}${number}`;
  const known = work.knownPhone(key);
  if (known !== null) return known;
  // Numbers beyond the budget are believed: a list of telephones is one.
  if (!work.takePhone()) return number.length >= 9;
  const options = region === null ? { extract: false } : { defaultCountry: region, extract: false };
  const isOne = parsePhoneNumberFromString(number, options)?.isValid() ?? false;
  work.rememberPhone(key, isOne);
  return isOne;
}

/** Of services that belong to no country. */
const sharedCodes = ['800', '808', '870', '878', '881', '882', '883', '888', '979'];
const callingCodes = new Set<string>(sharedCodes);
for (const country of getCountries()) callingCodes.add(getCountryCallingCode(country));

/** Behind a plus sign a number begins with a code that somebody was given; to look it up costs far more. */
function hasCallingCode(number: string): boolean {
  for (let length = 1; length <= 3; length += 1) {
    if (callingCodes.has(number.slice(1, 1 + length))) return true;
  }
  return false;
}
