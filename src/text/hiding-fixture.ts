// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { gzipSync } from 'node:zlib';

/** The ways to write a text that tests and benches try, by the class they belong to. */
export type Hiding = {
  readonly name: string;
  readonly hide: (text: string) => string;
  /** False when the coding has no signs for text beyond ASCII. */
  readonly takesUnicode: boolean;
};

const latin = /[A-Za-z]/g;
const lookalikes: { readonly [letter: string]: string } = {
  a: '\u0430', c: '\u0441', e: '\u0435', i: '\u0456', o: '\u043e', p: '\u0440', s: '\u0455',
  x: '\u0445', y: '\u0443',
};
const leetSigns: { readonly [letter: string]: string } = {
  a: '4', e: '3', i: '1', o: '0', s: '5', t: '7', l: '1',
};

const bytesOf = (text: string): readonly number[] => [...Buffer.from(text)];
const base64 = (data: string | Uint8Array): string => Buffer.from(data).toString('base64');
const inWords = (text: string, between: string): string =>
  text.replace(/([A-Za-z0-9]{2})(?=[A-Za-z0-9])/g, `$1${between}`);

function base32(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = bytesOf(text).map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const digits = bits.match(/.{1,5}/g) ?? [];
  return digits.map((five) => alphabet[Number.parseInt(five.padEnd(5, '0'), 2)] ?? '').join('');
}

function rotate(letter: string): string {
  const code = letter.charCodeAt(0);
  return String.fromCharCode((code | 0x20) < 0x6e ? code + 13 : code - 13);
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
const point = (character: string): number => character.codePointAt(0) ?? 0;

function plain(name: string, hide: (text: string) => string): Hiding {
  return { name, hide, takesUnicode: true };
}

function ascii(name: string, hide: (text: string) => string): Hiding {
  return { name, hide, takesUnicode: false };
}

export const hidings: readonly Hiding[] = [
  plain('compatibility forms (NFKC)', (text) =>
    text.replace(/[!-~]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0))),
  plain('zero-width characters', (text) => inWords(text, '\u200b')),
  plain('bidi controls', (text) => inWords(text, '\u2068\u2069')),
  ascii('Unicode tags', (text) =>
    Array.from(text, (sign) => String.fromCodePoint(0xe0000 + point(sign))).join('')),
  plain('variation selectors', (text) =>
    `\u{1f600}${bytesOf(text)
      .map((byte) => String.fromCodePoint(byte < 16 ? 0xfe00 + byte : 0xe0100 + byte - 16))
      .join('')}`),
  plain('confusables', (text) => text.replace(latin, (letter) => lookalikes[letter] ?? letter)),
  plain('combining marks', (text) => text.replace(/[aeiou]/g, (letter) => `${letter}\u0301`)),
  plain('HTML references', (text) => Array.from(text, (sign) => `&#${point(sign)};`).join('')),
  plain('percent-encoding', (text) => bytesOf(text).map((byte) => `%${hex(byte)}`).join('')),
  plain('URL form encoding', (text) => encodeURIComponent(text).replaceAll('%20', '+')),
  plain('JSON escapes', (text) =>
    Array.from({ length: text.length }, (_, index) =>
      `\\u${text.charCodeAt(index).toString(16).padStart(4, '0')}`).join('')),
  plain('hex', (text) => Buffer.from(text).toString('hex')),
  plain('hex list', (text) => bytesOf(text).map(hex).join(' ')),
  plain('base64', base64),
  plain('base32', base32),
  plain('gzip in base64', (text) => base64(gzipSync(text))),
  plain('ROT13', (text) => text.replace(latin, rotate)),
  plain('leet', (text) => text.replace(/[aeilost]/g, (letter) => leetSigns[letter] ?? letter)),
  plain('HTML comment', (text) => `<p>Notes</p><!-- ${text} -->`),
  plain('comments inside words', (text) => inWords(text, '<!-- -->')),
  plain('tags inside words', (text) => inWords(text, '<b></b>')),
  plain('display:none', (text) => `<div style="display:none">${text}</div>`),
  plain('alt text', (text) => `<img src="a.png" alt="${text}">`),
  plain('Markdown link title', (text) => `[report](https://example.org "${text}")`),
  plain('Markdown inside words', (text) => inWords(text, '**')),
  plain('ANSI escapes', (text) => inWords(text, '\u001b[0m')),
  plain('data URI', (text) => `<img src="data:text/plain;base64,${base64(text)}">`),
  plain('letters set apart', (text) =>
    text.split(' ').map((word) => Array.from(word).join(' ')).join('   ')),
];
