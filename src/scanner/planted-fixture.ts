// SPDX-License-Identifier: Apache-2.0
import { countrySpecs, isValidIBAN } from 'ibantools';
import { isMod11And10, isVerhoeff, weighted } from './check-digits.ts';
import { letteredNumbers } from './identity-numbers.ts';

/** Cheap repeatable randomness, 0 to 1: the same seed plants the same items. */
export type Chance = () => number;

export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function pick<Item>(chance: Chance, items: readonly Item[]): Item {
  const item = items[Math.floor(chance() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

export function digitsOf(chance: Chance, count: number): string {
  let digits = '';
  for (let index = 0; index < count; index += 1) digits += Math.floor(chance() * 10);
  return digits;
}

/** One made-up item: no person, account or card has it but by accident. */
export type Planted = {
  readonly kind: string;
  /** What stands before it in a text: `card`, `SSN`. */
  readonly label: string;
  readonly value: string;
};

function luhnDigit(digits: string): string {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index]) * (index % 2 === 0 ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return String((10 - (sum % 10)) % 10);
}

function withLuhn(digits: string): string {
  return digits + luhnDigit(digits);
}

/** Tries last digits, and then others, until a check holds. */
function until(chance: Chance, make: () => string, holds: (value: string) => boolean): string {
  for (let round = 0; round < 100_000; round += 1) {
    const value = make();
    if (holds(value)) return value;
  }
  throw new Error(`no value passes its check (${chance()})`);
}

/** Some countries have check digits inside the account number too. */
function iban(chance: Chance): string {
  return until(chance, () => maybeIban(chance), isValidIBAN);
}

function maybeIban(chance: Chance): string {
  const country = pick(chance, ['DE', 'NL', 'ES', 'BE', 'AT', 'PT', 'PL', 'SE', 'CH', 'DK', 'FI']);
  const length = countrySpecs[country]?.chars ?? 22;
  // The Netherlands write the bank in letters; so do few others of the list.
  const bank = country === 'NL' ? 'ABNA' : '';
  const account = bank + digitsOf(chance, length - 4 - bank.length);
  const numeric = `${account}${country}00`.replaceAll(/[A-Z]/g, (letter) =>
    String(letter.charCodeAt(0) - 55));
  const check = 98n - (BigInt(numeric) % 97n);
  return `${country}${String(check).padStart(2, '0')}${account}`;
}

function grouped(value: string, sizes: readonly number[], between: string): string {
  const parts: string[] = [];
  let from = 0;
  for (const size of sizes) {
    parts.push(value.slice(from, from + size));
    from += size;
  }
  return parts.join(between);
}

function lettered(chance: Chance, id: string, make: () => string): string {
  const kind = letteredNumbers.find((known) => known.id === id);
  if (kind === undefined) throw new Error(`no such number: ${id}`);
  return until(chance, make, (value) => kind.shape.test(value) && kind.holds(value));
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const letter = (chance: Chance): string => pick(chance, [...letters]);
const word = (chance: Chance, length: number): string =>
  Array.from({ length }, () => letter(chance)).join('');

type Maker = readonly [kind: string, label: string, make: (chance: Chance) => string];

const makers: readonly Maker[] = [
  ['e-mail', 'e-mail', (c) => `${word(c, 5)}.${word(c, 7)}@${word(c, 8)}.example.org`.toLowerCase()],
  ['phone', 'phone', (c) => `+49 30 ${digitsOf(c, 4).replace(/^0/, '2')} ${digitsOf(c, 4)}`],
  ['phone', 'phone', (c) => `+1 ${pick(c, ['212', '415', '312'])}-${pick(c, ['555', '736'])}-${digitsOf(c, 4)}`],
  ['phone', 'call', (c) => `+44 20 7${digitsOf(c, 3)} ${digitsOf(c, 4)}`],
  ['iban', 'IBAN', (c) => iban(c)],
  ['iban', 'account', (c) => iban(c).replace(/.{4}/g, '$& ').trim()],
  ['card', 'card', (c) => withLuhn(`4${digitsOf(c, 14)}`)],
  ['card', 'card number', (c) => grouped(withLuhn(`5${pick(c, ['1', '2', '3', '4', '5'])}${digitsOf(c, 13)}`), [4, 4, 4, 4], ' ')],
  ['card', 'Amex', (c) => grouped(withLuhn(`37${digitsOf(c, 12)}`), [4, 6, 5], '-')],
  ['us-ssn', 'SSN', (c) => `${until(c, () => digitsOf(c, 3), (d) => !/^(?:000|666|9)/.test(d))}-${pick(c, ['11', '24', '56', '78'])}-${digitsOf(c, 3)}7`],
  ['br-cpf', 'CPF', (c) => cpf(c)],
  ['de-tax-id', 'Steuer-ID', (c) => until(c, () => `${pick(c, ['1', '4', '8'])}${digitsOf(c, 10)}`, isMod11And10)],
  ['in-aadhaar', 'Aadhaar', (c) => grouped(until(c, () => `${pick(c, ['3', '5', '8'])}${digitsOf(c, 11)}`, isVerhoeff), [4, 4, 4], ' ')],
  ['pl-pesel', 'PESEL', (c) => until(c, () => `85${pick(c, ['01', '07', '11'])}${pick(c, ['03', '19', '28'])}${digitsOf(c, 5)}`, (d) => weighted(d, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0)],
  ['es-dni', 'DNI', (c) => lettered(c, 'es-dni', () => digitsOf(c, 8) + letter(c))],
  ['it-codice-fiscale', 'codice fiscale', (c) => lettered(c, 'it-codice-fiscale', () => `${word(c, 6)}${digitsOf(c, 2)}${pick(c, ['A', 'H', 'T'])}${pick(c, ['10', '21', '55'])}${letter(c)}${digitsOf(c, 3)}${letter(c)}`)],
  ['uk-nino', 'NI number', (c) => lettered(c, 'uk-nino', () => `${word(c, 2)}${digitsOf(c, 6)}${pick(c, ['A', 'B', 'C', 'D'])}`)],
  ['fr-nir', 'NIR', (c) => nir(c)],
  ['uk-nhs', 'NHS number', (c) => until(c, () => digitsOf(c, 10), (d) => weighted(d, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0)],
  ['us-mbi', 'Medicare', (c) => `1EG${pick(c, ['4', '5', '7'])}-TE${pick(c, ['5', '6', '8'])}-MK${digitsOf(c, 2)}`],
  ['de-kvnr', 'Versichertennummer', (c) => lettered(c, 'de-kvnr', () => letter(c) + digitsOf(c, 9))],
];

function cpf(chance: Chance): string {
  const digits = until(chance, () => digitsOf(chance, 11), (value) => {
    const check = (weights: readonly number[]): number => ((weighted(value, weights) * 10) % 11) % 10;
    return (
      check([10, 9, 8, 7, 6, 5, 4, 3, 2]) === Number(value[9]) &&
      check([11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) === Number(value[10])
    );
  });
  return `${grouped(digits, [3, 3, 3], '.')}-${digits.slice(9)}`;
}

function nir(chance: Chance): string {
  const number = `${pick(chance, ['1', '2'])}85${pick(chance, ['04', '09', '12'])}75${digitsOf(chance, 6)}`;
  return number + String(97 - (Number(number) % 97)).padStart(2, '0');
}

export const plantedKinds: readonly string[] = [...new Set(makers.map(([kind]) => kind))];

export function plantedItem(chance: Chance, index: number): Planted {
  const [kind, label, make] = makers[index % makers.length] ?? pick(chance, makers);
  return { kind, label, value: make(chance) };
}

const sentences = [
  'Please update the record of our customer: $ and confirm by Friday.',
  'Hello,\nthe details you asked for are $.\nKind regards',
  'We noted $ when the contract was signed.',
  '{"customer": {"note": "$"}, "status": "open"}',
  'name;contact;state\nMiller;$;active',
];

/** The item in a sentence, after its label. */
export function plantedText(chance: Chance, item: Planted): string {
  return pick(chance, sentences).replace('$', () => `${item.label} ${item.value}`);
}

/** DP-T2.2: the same, so that a simple look for a pattern does not see it. One or more messages. */
export type Evasion = {
  readonly name: string;
  readonly messages: (text: string, item: Planted) => readonly string[];
};

const cyrillic: { readonly [sign: string]: string } = {
  a: '\u0430', e: '\u0435', o: '\u043e', c: '\u0441', p: '\u0440', A: '\u0410', B: '\u0412',
};
const swapped: { readonly [digit: string]: string } = { '0': 'O', '1': 'l', '5': 'S' };

function swapDigits(value: string): string {
  let swaps = 0;
  return value.replaceAll(/[015]/g, (digit) => {
    swaps += 1;
    return swaps > 3 ? digit : (swapped[digit] ?? digit);
  });
}

function inItem(change: (value: string) => string): Evasion['messages'] {
  return (text, item) => [text.replace(item.value, () => change(item.value))];
}

export const evasions: readonly Evasion[] = [
  { name: 'base64', messages: (text) => [`attached: ${Buffer.from(text).toString('base64')}`] },
  { name: 'hex', messages: (text) => [`attached: ${Buffer.from(text).toString('hex')}`] },
  {
    name: 'percent-encoding',
    messages: inItem((value) => [...Buffer.from(value)].map((byte) => `%${byte.toString(16)}`).join('')),
  },
  {
    name: 'full-width characters',
    messages: inItem((value) =>
      value.replaceAll(/[!-~]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0))),
  },
  { name: 'zero-width characters', messages: inItem((value) => [...value].join('\u200b')) },
  { name: 'look-alike letters', messages: inItem((value) => value.replaceAll(/[a-eopAB]/g, (sign) => cyrillic[sign] ?? sign)) },
  { name: 'letters for digits', messages: inItem(swapDigits) },
  {
    name: 'other digits',
    messages: inItem((value) =>
      value.replaceAll(/[0-9]/g, (digit) => String.fromCharCode(0x0660 + Number(digit)))),
  },
  { name: 'other separators', messages: inItem((value) => value.replaceAll(/[ -]/g, '').replace(/(.{3})(?=.)/g, '$1 . ').replace(/ \. /g, '.')) },
  {
    name: 'HTML references',
    messages: inItem((value) => Array.from(value, (sign) => `&#${sign.codePointAt(0) ?? 0};`).join('')),
  },
  { name: 'tags between characters', messages: inItem((value) => [...value].join('<b></b>')) },
  {
    name: 'split over two messages',
    messages: (text, item) => {
      const place = text.indexOf(item.value) + Math.ceil(item.value.length / 2);
      return [text.slice(0, place), text.slice(place)];
    },
  },
  {
    name: 'split over two messages, with text around',
    messages: (_, item) => {
      const half = Math.ceil(item.value.length / 2);
      return [
        `The first part of the ${item.label} is ${item.value.slice(0, half)}`,
        `${item.value.slice(half)} is the second part`,
      ];
    },
  },
];
