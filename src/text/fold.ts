// SPDX-License-Identifier: Apache-2.0
import type { DecodeBudget } from './budget.ts';
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

const folded = buildFolded();
/** Letters of squares, circles and regional indicators, which NFKC leaves alone. */
const plateBlocks: readonly (readonly [number, number])[] = [
  [0x1f130, 0x41],
  [0x1f150, 0x41],
  [0x1f170, 0x41],
  [0x1f1e6, 0x41],
];

/**
 * Writes letters that only look like ASCII, and letters with marks, as ASCII, in place. It reads
 * foreign words as nonsense, which no rule matches; the text itself is read as well.
 */
export function fold(text: string, budget: DecodeBudget): Rewrite {
  const rewrite = new Rewrite(text);
  let position = 0;
  while (position < text.length) {
    if (text.charCodeAt(position) < 0xa0) {
      position += 1;
      continue;
    }
    const start = position;
    let written = '';
    while (position < text.length) {
      const form = formAt(text, position);
      if (form === null) break;
      written += form;
      position += text.charCodeAt(position) === 0xd83c ? 2 : 1;
    }
    if (position === start) {
      position += 1;
      continue;
    }
    if (!budget.takeReplacement()) break;
    rewrite.add(start, position, written);
  }
  return rewrite;
}

/** Null when the character stays as it is. */
function formAt(text: string, position: number): string | null {
  const code = text.charCodeAt(position);
  if (code !== 0xd83c) return folded.get(code) ?? null;
  const point = text.codePointAt(position) ?? 0;
  for (const [first, ascii] of plateBlocks) {
    if (point >= first && point < first + 26) return String.fromCharCode(ascii + point - first);
  }
  return null;
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
