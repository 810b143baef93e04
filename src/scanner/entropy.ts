// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';

/** Shannon entropy of the characters of a text, bits for each. */
export function entropyOf(text: string): number {
  counts.fill(0);
  for (let at = 0; at < text.length; at += 1) {
    const place = text.charCodeAt(at) & countMask;
    counts[place] = (counts[place] ?? 0) + 1;
  }
  let bits = 0;
  for (let at = 0; at < text.length; at += 1) {
    const place = text.charCodeAt(at) & countMask;
    const count = counts[place] ?? 0;
    if (count > 0) bits -= (count / text.length) * Math.log2(count / text.length);
    counts[place] = 0;
  }
  return bits;
}

/** Signs beyond ASCII share a place with one of it, as good as never in one value. */
const countMask = 0x7f;
const counts = new Uint16Array(countMask + 1);

/** What manuals write where a secret goes. */
const placeholders =
  /^(?:pass(?:word|wd)?|pwd|secret|change_?me|example|test|dummy|redacted|none|null|undefined|true|false|x{3,}|\*{3,}|\.{3,}|your[_-].{0,40}|my[_-].{0,40}|<.{0,40})$/i;
const manualWords =
  /(?:example|placeholder|changeme|change_me|redacted|dummy|sample|your[_-]|my[_-]|insert|replace|todo|xxxx|\*\*\*|\.\.\.)/i;

export function isPlaceholder(value: string): boolean {
  return /^[$<{%[]/.test(value) || placeholders.test(value);
}

/** Looks drawn by lot: mixed signs, many of them different, no words. */
export function isRandomValue(value: string): boolean {
  const bare = value.replace(/^[A-Za-z]{1,12}[_-]/, '');
  if (bare.length < 16 || !/[0-9]/.test(bare) || !/[A-Za-z]/.test(bare)) return false;
  return entropyOf(bare) >= (/^[0-9a-f]+$/i.test(bare) ? 3 : 3.6) && longestWord(bare) < 9;
}

/** The value of `password = ...`: random, or short and of three kinds of signs. */
export function isPassword(match: string): boolean {
  const value = valueOf(match);
  if (value === null || isPlaceholder(value) || manualWords.test(value)) return false;
  // A member, a path, a call or a variable is code about a secret.
  if (/^[A-Za-z_$][\w$]*(?:[.][A-Za-z_$][\w$]*)+$/.test(value) || /^(?:\/|\.\/|https?:)/.test(value)) return false;
  if (isRandomValue(value)) return true;
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(value)).length;
  return value.length >= 8 && kinds >= 3 && /[0-9]/.test(value) && entropyOf(value) >= 2.75 && longestWord(value) < 12;
}

function valueOf(match: string): string | null {
  const place = /(?:[:=>]|\sis\s)[\s"'`:=>\\]{0,8}([^\s"'`]{8,200})$/i.exec(match);
  return place?.[1] ?? null;
}

function longestWord(value: string): number {
  let longest = 0;
  let length = 0;
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    length = code >= 0x61 && code <= 0x7a ? length + 1 : 0;
    if (length > longest) longest = length;
  }
  return longest;
}

/** `Bearer` before something random, or `Basic` before a name and a password. */
export function isBasicAuth(match: string): boolean {
  const [scheme = '', value = ''] = match.split(/ {1,2}/);
  if (scheme.toLowerCase() === 'bearer') return isRandomValue(value) && !manualWords.test(value);
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  return /^[!-9;-~]{1,64}:[ -~]{3,128}$/.test(decoded);
}
