// SPDX-License-Identifier: Apache-2.0

/** What a model reads, as plain text that the rules can match. */
export type NormalText = {
  readonly text: string;
  /** Offset in the original text of each unit of `text`, and of its end; null: they are equal. */
  readonly offsets: readonly number[] | null;
  readonly hidden: readonly HiddenRun[];
};

/** Characters that people do not see and models read. */
export type HiddenRun = {
  readonly kind: 'tag-characters' | 'variation-selectors' | 'zero-width' | 'bidi-override';
  readonly start: number;
  readonly end: number;
};

/** Blocks that hold compatibility forms of ASCII characters: full width, circled, superscript. */
const compatibilityBlocks: readonly (readonly [number, number])[] = [
  [0x00a0, 0x00bf],
  [0x0130, 0x017f],
  [0x02b0, 0x02e4],
  [0x1d2c, 0x1d6a],
  [0x2000, 0x206f],
  [0x2070, 0x209f],
  [0x2100, 0x218b],
  [0x2460, 0x24ff],
  [0x3000, 0x3000],
  [0xfb00, 0xfb06],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff5e],
];

const invisibleBlocks: readonly (readonly [number, number])[] = [
  [0x00ad, 0x00ad],
  [0x034f, 0x034f],
  [0x061c, 0x061c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff9, 0xfffb],
];

const keep = 0;
const strip = 1;
const highSurrogate = 2;
const firstReplacement = 3;
const replacements: string[] = [];
const actions = buildActions();

/** Shorter runs occur in emoji and in scripts that need joiners. */
const zeroWidthRunMin = 8;
const selectorRunMin = 4;

/**
 * Strips invisible characters and writes compatibility forms of ASCII as ASCII: the part of Unicode
 * NFKC that hides an ASCII word from a rule. Everything else stays as it is, so positions map back
 * exactly. Linear in the text; a text without such characters is returned as it is.
 */
export function normalise(text: string): NormalText {
  if (!/[\u0080-\uffff]/.test(text)) return { text, offsets: null, hidden: [] };
  let position = 0;
  while (position < text.length && actions[text.charCodeAt(position)] === keep) position += 1;
  return position === text.length
    ? { text, offsets: null, hidden: [] }
    : rewrite(text, position);
}

function rewrite(text: string, unchanged: number): NormalText {
  const runs = new HiddenRuns();
  const offsets: number[] = [];
  let written = text.slice(0, unchanged);
  for (let position = 0; position < unchanged; position += 1) offsets.push(position);
  let position = unchanged;
  while (position < text.length) {
    const code = text.charCodeAt(position);
    const flag = code === 0xd83c ? flagAt(text, position) : 0;
    for (let unit = 0; unit < flag; unit += 1) offsets.push(position + unit);
    if (flag > 0) {
      written += text.slice(position, position + flag);
      position += flag;
      continue;
    }
    const action = actions[code] ?? keep;
    const point = action === highSurrogate ? (text.codePointAt(position) ?? code) : code;
    const length = point > 0xffff ? 2 : 1;
    const replaced = replacementOf(text, position, point, action);
    for (let unit = 0; unit < replaced.length; unit += 1) offsets.push(position);
    if (replaced.length === 2 && length === 2) offsets[offsets.length - 1] = position + 1;
    written += replaced;
    if (replaced === '') runs.add(point, position, position + length);
    position += length;
  }
  offsets.push(text.length);
  return { text: written, offsets, hidden: runs.found };
}

function replacementOf(text: string, position: number, point: number, action: number): string {
  if (action === keep) return text.charAt(position);
  if (action === strip) return '';
  if (action >= firstReplacement) return replacements[action - firstReplacement] ?? '';
  if (point >= 0xe0000 && point <= 0xe0fff) return '';
  const own = String.fromCodePoint(point);
  // Mathematical and enclosed alphanumerics; a small, dense part of the planes above the first.
  const styled = (point >= 0x1d400 && point <= 0x1d7ff) || (point >= 0x1f100 && point <= 0x1f16f);
  return styled ? (asciiForm(own) ?? own) : own;
}

/** Flags of England, Scotland and Wales are spelled with tag characters (UTS 51, annex C). */
const flagPattern = new RegExp(
  '\u{1f3f4}\u{e0067}\u{e0062}(?:\u{e0065}\u{e006e}\u{e0067}|' +
    '\u{e0073}\u{e0063}\u{e0074}|\u{e0077}\u{e006c}\u{e0073})\u{e007f}',
  'uy',
);

/** Length of the flag that starts at `position`; 0 when there is none. */
function flagAt(text: string, position: number): number {
  flagPattern.lastIndex = position;
  return flagPattern.exec(text)?.[0].length ?? 0;
}

/** Collects runs of stripped characters; an ordinary character between two ends a run. */
class HiddenRuns {
  readonly found: HiddenRun[] = [];
  private kind: HiddenRun['kind'] | null = null;
  private start = 0;
  private end = -1;
  private count = 0;

  add(point: number, start: number, end: number): void {
    const kind = kindOf(point);
    if (kind === null) return;
    if (kind !== this.kind || start !== this.end) {
      this.kind = kind;
      this.start = start;
      this.count = 0;
    }
    this.end = end;
    this.count += 1;
    const enough = this.count === minimumOf(kind);
    if (enough) this.found.push({ kind, start: this.start, end });
  }
}

function kindOf(point: number): HiddenRun['kind'] | null {
  if (point >= 0xe0000 && point <= 0xe007f) return 'tag-characters';
  if (point >= 0xe0100 && point <= 0xe01ef) return 'variation-selectors';
  if (point >= 0xfe00 && point <= 0xfe0f) return 'variation-selectors';
  if (point === 0x202d || point === 0x202e) return 'bidi-override';
  if (point >= 0x200b && point <= 0x200d) return 'zero-width';
  if (point >= 0x2060 && point <= 0x2064) return 'zero-width';
  return point === 0xfeff ? 'zero-width' : null;
}

function minimumOf(kind: HiddenRun['kind']): number {
  if (kind === 'zero-width') return zeroWidthRunMin;
  return kind === 'variation-selectors' ? selectorRunMin : 1;
}

function buildActions(): Uint16Array {
  const table = new Uint16Array(0x10000);
  for (const [first, last] of compatibilityBlocks) {
    for (let code = first; code <= last; code += 1) {
      const ascii = asciiForm(String.fromCharCode(code));
      if (ascii === null) continue;
      table[code] = firstReplacement + replacements.length;
      replacements.push(ascii);
    }
  }
  for (const [first, last] of invisibleBlocks) table.fill(strip, first, last + 1);
  table.fill(highSurrogate, 0xd800, 0xdc00);
  return table;
}

/** Null when the NFKC form is not short ASCII text. */
function asciiForm(character: string): string | null {
  const form = character.normalize('NFKC');
  return form !== character && form.length <= 4 && /^[\x20-\x7e]+$/.test(form) ? form : null;
}
