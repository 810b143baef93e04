// SPDX-License-Identifier: Apache-2.0

/** Check digits of cards and identity numbers. Each takes digits only, and answers false for less. */

/** ISO/IEC 7812-1, annex B. */
export function isLuhn(digits: string): boolean {
  let sum = 0;
  let isDoubled = false;
  for (let index = digits.length - 1; index >= 0; index -= 1) {
    const digit = digits.charCodeAt(index) - 0x30;
    const value = isDoubled ? digit * 2 : digit;
    sum += value > 9 ? value - 9 : value;
    isDoubled = !isDoubled;
  }
  return digits.length > 1 && sum % 10 === 0;
}

/** Sum of digit times weight; NaN when there are fewer digits than weights. */
export function weighted(digits: string, weights: readonly number[]): number {
  let sum = 0;
  for (const [index, weight] of weights.entries()) sum += weight * (digits.charCodeAt(index) - 0x30);
  return sum;
}

/** Numbers of one digit repeated pass many checks and were never issued. */
export function isOneDigit(digits: string): boolean {
  const [first = ''] = digits;
  return digits === first.repeat(digits.length);
}

/** Issuer ranges as the networks publish them: prefix from, prefix to, lengths. */
const issuers: readonly (readonly [number, number, readonly number[]])[] = [
  [4, 4, [13, 16, 19]],
  [51, 55, [16]],
  [2221, 2720, [16]],
  [34, 34, [15]],
  [37, 37, [15]],
  [6011, 6011, [16, 19]],
  [644, 659, [16, 19]],
  [62, 62, [16, 17, 18, 19]],
  [3528, 3589, [16, 17, 18, 19]],
  [300, 305, [14, 16]],
  [36, 36, [14, 16]],
  [38, 39, [14, 16]],
  [9792, 9792, [16]],
  [2200, 2204, [16]],
];

/** First four digits -> bit for each length, from 13 on, that a network issues with them. */
const issuedLengths = buildIssuedLengths();

/** Whether a network issues cards of this length that begin with these four digits. */
export function isIssuedRange(four: number, length: number): boolean {
  return length >= 13 && length <= 19 && (((issuedLengths[four] ?? 0) >> (length - 13)) & 1) === 1;
}

function buildIssuedLengths(): Uint8Array {
  const table = new Uint8Array(10_000);
  for (const [from, to, lengths] of issuers) {
    let bits = 0;
    for (const length of lengths) bits |= 1 << (length - 13);
    const last = Number(String(to).padEnd(4, '9'));
    for (let four = Number(String(from).padEnd(4, '0')); four <= last; four += 1) {
      table[four] = (table[four] ?? 0) | bits;
    }
  }
  return table;
}

export function isCard(digits: string): boolean {
  return isIssuedRange(Number(digits.slice(0, 4)), digits.length) && !isOneDigit(digits) && isLuhn(digits);
}

/** Dihedral group of order ten (Verhoeff, 1969), as Aadhaar uses it. */
const product = [
  '0123456789', '1234067895', '2340178956', '3401289567', '4012395678',
  '5987604321', '6598710432', '7659821043', '8765932104', '9876543210',
];
const permutation = [
  '0123456789', '1576283094', '5803796142', '8916043527',
  '9453126870', '4286573901', '2793806415', '7046913258',
];

export function isVerhoeff(digits: string): boolean {
  let check = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index]);
    const moved = Number(permutation[index % 8]?.[digit]);
    check = Number(product[check]?.[moved]);
  }
  return check === 0;
}

/** ISO 7064, MOD 11,10: the German tax number. */
export function isMod11And10(digits: string): boolean {
  let carry = 10;
  for (let index = 0; index < digits.length - 1; index += 1) {
    const sum = (Number(digits[index]) + carry) % 10;
    carry = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - carry) % 10 === Number(digits.at(-1));
}
