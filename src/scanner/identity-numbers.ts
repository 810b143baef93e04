// SPDX-License-Identifier: Apache-2.0
import { digitAt } from './number-groups.ts';
import { isLuhn, isMod11And10, isOneDigit, isVerhoeff, weighted } from './check-digits.ts';

export type PersonalClass = 'contact' | 'financial' | 'national-id' | 'health';

/**
 * A number that a state or an insurer gives to a person. It counts when its check holds and it is
 * either written in its own groups, or one of its names stands shortly before it.
 */
export type IdentityNumber = {
  readonly id: string;
  readonly class: PersonalClass;
  readonly length: number;
  /** Digits of each group, as the number is written; null when it is written as one. */
  readonly groups: readonly number[] | null;
  /** Lower case; empty when the groups alone are enough. */
  readonly names: readonly string[];
  /** False when numbers written in these groups are too often something else. */
  readonly groupsAreEnough: boolean;
  readonly holds: (digits: string) => boolean;
};

export const identityNumbers: readonly IdentityNumber[] = [
  {
    id: 'date-of-birth',
    class: 'national-id',
    length: 8,
    groups: null,
    names: ['date of birth', 'birthdate', 'birth date', 'dob', 'born', 'geboren', 'geburtsdatum', 'naissance', 'nacimiento'],
    groupsAreEnough: false,
    holds: isBirthday,
  },
  {
    id: 'us-ssn',
    class: 'national-id',
    length: 9,
    groups: [3, 2, 4],
    names: ['ssn', 'social security', 'social sec'],
    groupsAreEnough: true,
    // No check digit; never issued: 000, 666, 900-999, group 00, serial 0000.
    holds: (d) => !/^(?:000|666|9)/.test(d) && d.slice(3, 5) !== '00' && !d.endsWith('0000'),
  },
  {
    id: 'ca-sin',
    class: 'national-id',
    length: 9,
    groups: [3, 3, 3],
    names: ['sin', 'social insurance'],
    groupsAreEnough: false,
    holds: (d) => isLuhn(d) && !d.startsWith('0') && !isOneDigit(d),
  },
  {
    id: 'nl-bsn',
    class: 'national-id',
    length: 9,
    groups: null,
    names: ['bsn', 'burgerservice', 'sofinummer'],
    groupsAreEnough: false,
    holds: (d) => weighted(d, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0 && !isOneDigit(d),
  },
  {
    id: 'se-personnummer',
    class: 'national-id',
    length: 10,
    groups: [6, 4],
    names: ['personnummer', 'personal number', 'pnr'],
    groupsAreEnough: true,
    holds: (d) => isLuhn(d) && isDate(d.slice(2, 4), d.slice(4, 6)),
  },
  {
    id: 'br-cpf',
    class: 'national-id',
    length: 11,
    groups: [3, 3, 3, 2],
    names: ['cpf'],
    groupsAreEnough: true,
    holds: isCpf,
  },
  {
    id: 'de-tax-id',
    class: 'national-id',
    length: 11,
    groups: [2, 3, 3, 3],
    names: ['steuer-id', 'steuer id', 'steueridentifikation', 'steuerid', 'idnr', 'tax id'],
    groupsAreEnough: true,
    holds: (d) => !d.startsWith('0') && isMod11And10(d) && !isOneDigit(d),
  },
  {
    id: 'pl-pesel',
    class: 'national-id',
    length: 11,
    groups: null,
    names: ['pesel'],
    groupsAreEnough: false,
    holds: (d) => (weighted(d, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10) === 0,
  },
  {
    id: 'no-fodselsnummer',
    class: 'national-id',
    length: 11,
    groups: [6, 5],
    names: ['fodselsnummer', 'f\u00f8dselsnummer', 'personnummer', 'fnr'],
    groupsAreEnough: true,
    holds: (d) =>
      weighted(d, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 &&
      weighted(d, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0,
  },
  {
    id: 'in-aadhaar',
    class: 'national-id',
    length: 12,
    groups: [4, 4, 4],
    names: ['aadhaar', 'aadhar', 'uidai'],
    groupsAreEnough: true,
    holds: (d) => /^[2-9]/.test(d) && isVerhoeff(d),
  },
  {
    id: 'fr-nir',
    class: 'national-id',
    length: 15,
    groups: [1, 2, 2, 2, 3, 3, 2],
    names: ['nir', 's\u00e9curit\u00e9 sociale', 'securite sociale', 'insee'],
    groupsAreEnough: true,
    holds: (d) => /^[12]/.test(d) && Number(d.slice(13)) === 97 - (Number(d.slice(0, 13)) % 97),
  },
  {
    id: 'uk-nhs',
    class: 'health',
    length: 10,
    groups: [3, 3, 4],
    names: ['nhs'],
    groupsAreEnough: false,
    holds: (d) => weighted(d, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0 && !isOneDigit(d),
  },
  {
    id: 'us-npi',
    class: 'health',
    length: 10,
    groups: null,
    names: ['npi', 'national provider'],
    groupsAreEnough: false,
    holds: (d) => /^[12]/.test(d) && isLuhn(`80840${d}`),
  },
  {
    id: 'au-medicare',
    class: 'health',
    length: 10,
    groups: [4, 5, 1],
    names: ['medicare'],
    groupsAreEnough: true,
    holds: (d) => /^[2-6]/.test(d) && weighted(d, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(d[8]),
  },
  {
    id: 'medical-record',
    class: 'health',
    length: 8,
    groups: null,
    names: ['mrn', 'medical record', 'patient id', 'patient number', 'patientennummer'],
    groupsAreEnough: false,
    holds: () => true,
  },
];

/** Numbers with letters: one token of a text, or what is left of it without its spaces. */
export type LetteredNumber = {
  readonly id: string;
  readonly class: PersonalClass;
  /** Anchored and of bounded length; upper case. */
  readonly shape: RegExp;
  /** `9` where a digit stands, `A` where a letter does, `-` where either may. */
  readonly template: string;
  /** Lower case; empty when shape and check are enough. */
  readonly names: readonly string[];
  readonly holds: (number: string) => boolean;
};

const dniLetters = 'TRWAGMYFPDXBNJZSQVHLCKE';

export const letteredNumbers: readonly LetteredNumber[] = [
  {
    id: 'es-dni',
    class: 'national-id',
    shape: /^[0-9]{8}[A-Z]$/,
    template: '99999999A',
    names: [],
    holds: (n) => dniLetters[Number(n.slice(0, 8)) % 23] === n[8],
  },
  {
    id: 'es-nie',
    class: 'national-id',
    shape: /^[XYZ][0-9]{7}[A-Z]$/,
    template: 'A9999999A',
    names: [],
    holds: (n) => {
      const [first = 'X'] = n;
      return dniLetters[Number(`${'XYZ'.indexOf(first)}${n.slice(1, 8)}`) % 23] === n[8];
    },
  },
  {
    id: 'it-codice-fiscale',
    class: 'national-id',
    shape: /^[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]$/,
    template: 'AAAAAA99A99A999A',
    names: [],
    holds: isCodiceFiscale,
  },
  {
    id: 'uk-nino',
    class: 'national-id',
    shape: /^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]$/,
    template: 'AA999999A',
    names: [],
    holds: (n) => !/^(?:BG|GB|KN|NK|NT|TN|ZZ)/.test(n),
  },
  {
    id: 'us-mbi',
    class: 'health',
    shape: /^[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9][0-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9][0-9][AC-HJKMNP-RT-Y]{2}[0-9]{2}$/,
    template: '9A-9A-9AA99',
    names: [],
    holds: () => true,
  },
  {
    id: 'de-kvnr',
    class: 'health',
    shape: /^[A-Z][0-9]{9}$/,
    template: 'A999999999',
    names: ['kvnr', 'versichert', 'krankenkass', 'insurance'],
    holds: isKvnr,
  },
  {
    id: 'us-dea',
    class: 'health',
    shape: /^[ABCDEFGHJKLMPRSTUX][A-Z9][0-9]{7}$/,
    template: 'A-9999999',
    names: ['dea'],
    holds: (n) => {
      const d = n.slice(2);
      return (weighted(d, [1, 2, 1, 2, 1, 2]) % 10) === Number(d[6]);
    },
  },
];

/**
 * The number with digits where its template has them, if letters stood for them; null where something
 * else stands in place of a digit.
 */
export function repaired(number: string, template: string): string | null {
  if (number.length !== template.length) return null;
  for (let index = 0; index < number.length; index += 1) {
    if (template[index] === '9' && digitAt(number.charCodeAt(index)) > 9) return null;
  }
  let read = '';
  for (let index = 0; index < number.length; index += 1) {
    const sign = number.charAt(index);
    read += template[index] === '9' ? digitAt(sign.charCodeAt(0)) : sign.toUpperCase();
  }
  return read;
}

function isDate(month: string, day: string): boolean {
  const month12 = Number(month);
  const day31 = Number(day) % 60;
  return month12 >= 1 && month12 <= 12 && day31 >= 1 && day31 <= 31;
}

/** Year first or last, in either order of month and day, and of somebody who may be alive. */
function isBirthday(d: string): boolean {
  const isYear = (year: string): boolean => Number(year) >= 1900 && Number(year) <= 2030;
  const isDay = (a: string, b: string): boolean => isDate(a, b) || isDate(b, a);
  if (isYear(d.slice(0, 4)) && isDay(d.slice(4, 6), d.slice(6))) return true;
  return isYear(d.slice(4)) && isDay(d.slice(0, 2), d.slice(2, 4));
}

function isCpf(digits: string): boolean {
  if (isOneDigit(digits)) return false;
  const check = (weights: readonly number[]): number => {
    const rest = (weighted(digits, weights) * 10) % 11;
    return rest === 10 ? 0 : rest;
  };
  return (
    check([10, 9, 8, 7, 6, 5, 4, 3, 2]) === Number(digits[9]) &&
    check([11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) === Number(digits[10])
  );
}

const oddValues = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22]
  .concat([25, 24, 23]);

function isCodiceFiscale(number: string): boolean {
  let sum = 0;
  for (let index = 0; index < 15; index += 1) {
    const code = number.charCodeAt(index);
    const value = code < 0x41 ? code - 0x30 : code - 0x41;
    sum += index % 2 === 0 ? (oddValues[value] ?? 0) : value;
  }
  return number.charCodeAt(15) - 0x41 === sum % 26;
}

function isKvnr(number: string): boolean {
  const letter = String(number.charCodeAt(0) - 0x40).padStart(2, '0');
  let sum = 0;
  for (const [index, sign] of Array.from(`${letter}${number.slice(1, 9)}`).entries()) {
    const product = Number(sign) * (index % 2 === 0 ? 1 : 2);
    sum += product > 9 ? product - 9 : product;
  }
  return sum % 10 === Number(number[9]);
}
