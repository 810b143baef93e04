// SPDX-License-Identifier: Apache-2.0

/** A run of digits, or of letters that pass for digits. */
export type NumberToken = {
  readonly start: number;
  readonly end: number;
  readonly digits: string;
};

/** Tokens with nothing but separators between them. */
export type NumberGroup = readonly NumberToken[];

const separatorLengthMax = 3;
const tokenLengthMax = 40;
const groupTokensMax = 64;

const other = 0;
const separator = 1;
const letter = 2;
const digit = 3;
const kinds = buildKinds();

/** Calls back for each group of numbers, in order. One pass; linear in the text. */
export function eachNumberGroup(text: string, onGroup: (group: NumberGroup) => void): void {
  let group: NumberToken[] = [];
  let position = 0;
  const close = (): void => {
    if (group.length > 0) onGroup(group);
    group = [];
  };
  while (position < text.length) {
    const kind = kinds[text.charCodeAt(position)] ?? other;
    if (kind === separator || kind === other) {
      if (kind === other || (group.length > 0 && position - (group.at(-1)?.end ?? 0) >= separatorLengthMax)) close();
      position += 1;
      continue;
    }
    const start = position;
    let digits = 0;
    for (let code = kind; code >= letter; code = kinds[text.charCodeAt(position)] ?? other) {
      if (code === digit) digits += 1;
      position += 1;
    }
    const token = tokenOf(text, start, position, digits, group.length > 0 || text.charAt(start - 1) === '+');
    if (token === null) close();
    else group.push(token);
    if (group.length >= groupTokensMax) close();
  }
  close();
}

/** Letters alone may stand for digits within a number only, and be few. */
function tokenOf(
  text: string,
  start: number,
  end: number,
  digits: number,
  isWithin: boolean,
): NumberToken | null {
  const length = end - start;
  if (length > tokenLengthMax) return null;
  if (digits === length) return { start, end, digits: text.slice(start, end) };
  if (digits === 0 && !(isWithin && length <= 4)) return null;
  const read = asDigits(text.slice(start, end));
  return read === null ? null : { start, end, digits: read };
}

const digitLike: ReadonlyMap<string, string> = new Map([
  ['O', '0'], ['o', '0'], ['I', '1'], ['l', '1'], ['S', '5'], ['B', '8'],
]);

/** With O, I, l, S and B read as what they pass for; null when another letter is in it. */
export function asDigits(written: string): string | null {
  let read = '';
  for (const sign of written) {
    const digit = sign >= '0' && sign <= '9' ? sign : digitLike.get(sign);
    if (digit === undefined) return null;
    read += digit;
  }
  return read;
}

function buildKinds(): Uint8Array {
  const table = new Uint8Array(128);
  for (const sign of ' .-_/:,|*()+\u00a0') if (sign.charCodeAt(0) < 128) table[sign.charCodeAt(0)] = separator;
  for (let code = 0x30; code <= 0x39; code += 1) table[code] = digit;
  for (let code = 0x41; code <= 0x5a; code += 1) {
    table[code] = letter;
    table[code + 0x20] = letter;
  }
  return table;
}
