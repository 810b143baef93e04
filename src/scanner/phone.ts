// SPDX-License-Identifier: Apache-2.0
import { parsePhoneNumberFromString } from 'libphonenumber-js/min';
import type { CountryCode } from 'libphonenumber-js/min';
import type { PersonalWork } from './personal.ts';

/** Words that say that a number is one to call. */
const names = /(?:phone|tel|call|mobile|cell|fax|whatsapp|sms|handy|ruf|portable|m\u00f3vil)[a-z]{0,12}[\s.:#=(+-]{0,6}(?:(?:is|at|me|us|on|number|no|nr)[\s.:#=(+-]{0,6}){0,2}$/i;
const regions: readonly CountryCode[] = ['US', 'GB', 'DE', 'FR', 'ES', 'IT', 'IN', 'BR'];
const lengthMax = 32;

/**
 * Start of the phone number that ends at `end`, with its plus sign; null when it is none. A number
 * counts when it is international (`+`, `00`) and valid, or in a usual national form after a word
 * for a telephone, or written in the groups of North America.
 */
export function findPhone(
  text: string,
  start: number,
  end: number,
  digits: string,
  isAmerican: boolean,
  work: PersonalWork,
): number | null {
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
  if (isAmerican && /[-.)]/.test(text.slice(start, end))) {
    return isValid(digits, 'US', work) ? start : null;
  }
  if (!names.test(text.slice(Math.max(0, start - 48), start))) return null;
  return regions.some((region) => isValid(digits, region, work)) ? start : null;
}

function isValid(number: string, region: CountryCode | null, work: PersonalWork): boolean {
  if (!work.takePhone()) return false;
  const options = region === null ? { extract: false } : { defaultCountry: region, extract: false };
  return parsePhoneNumberFromString(number, options)?.isValid() ?? false;
}
