// SPDX-License-Identifier: Apache-2.0
import type { Effort } from './effort.ts';
import { stepsOf } from './effort.ts';
import { Rewrite } from './view.ts';

/**
 * Letters that look like ASCII ones: ASCII, then what passes for it. Chosen from the scripts whose
 * letters are drawn alike (UTS 39 names the idea); a letter that only resembles one is left out.
 */
const lookalikes: readonly (readonly [string, string])[] = [
  ['a', 'аɑαⱥᴀӑӓ'], ['b', 'ЬƄьʙ'], ['c', 'сϲⅽᴄҫ'], ['d', 'ԁⅾɗᴅ'], ['e', 'еєҽёεᴇɛ℮'],
  ['f', 'ғϝꜰẝ'], ['g', 'ɡցɢ'], ['h', 'һհʜ'], ['i', 'іιıɩɪӏїǀ'], ['j', 'јϳᴊ'], ['k', 'κкᴋⱪқ'],
  ['l', 'ⅼʟӀ'], ['m', 'мⅿᴍ'], ['n', 'ոпɴη'], ['o', 'оοօσᴏ૦ഠøө'], ['p', 'рρᴘ'], ['q', 'ԛգ'],
  ['r', 'гᴦʀ'], ['s', 'ѕꜱʂ'], ['t', 'τтᴛƫ'], ['u', 'υսᴜцʊ'], ['v', 'νѵᴠⅴ'], ['w', 'ԝѡωᴡш'],
  ['x', 'хχⅹ'], ['y', 'уγүʏў'], ['z', 'ᴢʐȥ'],
  ['A', 'АΑᎪӐӒ'], ['B', 'ВΒᏴ'], ['C', 'СϹᏟⅭҪ'], ['D', 'ᎠⅮ'], ['E', 'ЕΕᎬЁ'], ['F', 'Ϝ'],
  ['G', 'ԌᏀ'], ['H', 'НΗᎻ'], ['I', 'ІΙӀЇ'], ['J', 'ЈᎫ'], ['K', 'КΚᏦ'], ['L', 'ᏞⅬ'],
  ['M', 'МΜᎷⅯ'], ['N', 'ΝՆ'], ['O', 'ОΟՕØӨ'], ['P', 'РΡᏢ'], ['Q', 'Ԛ'], ['R', 'ᎡᏒ'],
  ['S', 'ЅᏚՏ'], ['T', 'ТΤᎢ'], ['U', 'ՍᏌ'], ['V', 'ѴᏙⅤ'], ['W', 'ᎳԜ'], ['X', 'ХΧⅩ'],
  ['Y', 'ΥҮУ'], ['Z', 'ΖᏃ'],
  ['0', '০੦౦೦๐໐'], [':', '։׃'], ['/', '⁄∕'],
];

/** Blocks of letters that are ASCII letters with marks, and of marks that stand alone. */
const markedBlocks: readonly (readonly [number, number])[] = [
  [0x00c0, 0x024f],
  [0x1e00, 0x1eff],
  [0x2c60, 0x2c7f],
  [0xa720, 0xa7ff],
];
const markBlocks: readonly (readonly [number, number])[] = [
  [0x0300, 0x036f],
  [0x0483, 0x0489],
  [0x1ab0, 0x1aff],
  [0x1dc0, 0x1dff],
  [0x20d0, 0x20ff],
  [0xfe20, 0xfe2f],
];

/** Zero of each set of decimal digits that a text may be written in; nine more follow it. */
const zeros = [0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6]
  .concat([0x0d66, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x17e0, 0x1810]);

/** Letters of squares, circles and regional indicators, which NFKC leaves alone. */
const plateBlocks: readonly (readonly [number, number])[] = [
  [0x1f130, 0x41],
  [0x1f150, 0x41],
  [0x1f170, 0x41],
  [0x1f1e6, 0x41],
];

/**
 * Writes letters that only look like ASCII, and letters with marks, as ASCII, in place. It reads
 * foreign words as nonsense, which no rule matches; the text itself is read as well. A word without any
 * ASCII letter and with a letter that looks like none is a foreign word, and is left alone.
 */
export function fold(text: string, effort: Effort): Rewrite {
  const rewrite = new Rewrite(text);
  let position = 0;
  let wordEnd = 0;
  let isForeign = false;
  while (position < text.length) {
    const code = text.charCodeAt(position);
    if ((forms[code] ?? 0) === 0) {
      position += 1;
      continue;
    }
    // Most pairs that begin like a plate are none: signs and pictures.
    if (code === plateUnit && plateAt(text, position) === null) {
      position += 1;
      continue;
    }
    if (position >= wordEnd) {
      wordEnd = foreignEnd(text, position);
      isForeign = wordEnd < 0;
      wordEnd = Math.abs(wordEnd);
    }
    if (isForeign) {
      position = wordEnd;
      continue;
    }
    const start = position;
    let written = '';
    while (position < wordEnd) {
      const form = formAt(text, position);
      if (form === null) break;
      written += form;
      position += text.charCodeAt(position) === plateUnit ? 2 : 1;
    }
    if (!effort.take('decoding', stepsOf.fold + stepsOf.character * (position - start))) break;
    rewrite.add(start, position, written);
  }
  return rewrite;
}

/** End of the word around the position; negative where it is a foreign one. */
function foreignEnd(text: string, position: number): number {
  let isLatin = false;
  let isForeign = false;
  let start = position;
  while (start > 0 && isWordUnit(text.charCodeAt(start - 1))) start -= 1;
  let end = start;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (!isWordUnit(code)) break;
    if (code < 0x80) isLatin = true;
    else if (code >= foreignFrom && code < 0xd800 && forms[code] === 0) isForeign = true;
    end += 1;
  }
  return isForeign && !isLatin ? -end : end;
}

/** Greek and Cyrillic and what comes after them; what is before is Latin letters and marks. */
const foreignFrom = 0x370;

function isWordUnit(code: number): boolean {
  if (code >= 0x80) return forms[code] !== 0 || (code >= 0xc0 && !(code >= 0x2000 && code < 0x2c00));
  return (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a);
}

/** Unit -> place of its form; 0 for a unit that stays as it is. */
const forms = new Uint16Array(0x10000);
const writtenForms: string[] = [''];
for (const [code, form] of buildFolded()) {
  forms[code] = writtenForms.length;
  writtenForms.push(form);
}
/** First unit of flags and plates, which are looked up by the second. */
const plateUnit = 0xd83c;
forms[plateUnit] = writtenForms.push('') - 1;
const plates = buildPlates();

/** Null when the character stays as it is. */
function formAt(text: string, position: number): string | null {
  const code = text.charCodeAt(position);
  const form = forms[code] ?? 0;
  if (form === 0) return null;
  return code === plateUnit ? plateAt(text, position) : (writtenForms[form] ?? null);
}

/** Null when the pair is no plate. */
function plateAt(text: string, position: number): string | null {
  const second = position + 1 < text.length ? text.charCodeAt(position + 1) : 0;
  return second < 0xdc00 || second > 0xdfff ? null : (plates[second - 0xdc00] ?? null);
}

/** By the second unit, less the first of its kind. */
function buildPlates(): readonly (string | null)[] {
  const table: (string | null)[] = Array.from({ length: 0x400 }, () => null);
  for (const [first, ascii] of plateBlocks) {
    for (let letter = 0; letter < 26; letter += 1) {
      table[(first + letter) & 0x3ff] = String.fromCharCode(ascii + letter);
    }
  }
  return table;
}

function buildFolded(): ReadonlyMap<number, string> {
  const table = new Map<number, string>();
  for (const [first, last] of markedBlocks) {
    for (let code = first; code <= last; code += 1) {
      const base = String.fromCharCode(code).normalize('NFKD').replace(/[\u0300-\u036f]/g, '');
      if (/^[A-Za-z]{1,2}$/.test(base)) table.set(code, base);
    }
  }
  for (const [first, last] of markBlocks) {
    for (let code = first; code <= last; code += 1) table.set(code, '');
  }
  for (const [ascii, others] of lookalikes) {
    for (const other of others) table.set(other.charCodeAt(0), ascii);
  }
  for (const zero of zeros) {
    for (let digit = 0; digit < 10; digit += 1) table.set(zero + digit, String(digit));
  }
  table.set(0xdf, 'ss');
  return table;
}
