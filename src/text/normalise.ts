// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';

/** What a model reads, as plain text that the rules can match. */
export type NormalText = {
  readonly text: string;
  readonly hidden: readonly HiddenRun[];
  /** Position in the original of a position in `text`. */
  readonly originalOf: (position: number) => number;
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

/** Quotation marks and dashes as printers set them, which NFKC leaves alone. */
const typographicMarks: readonly (readonly [number, string])[] = [
  [0x2018, "'"],
  [0x2019, "'"],
  [0x201c, '"'],
  [0x201d, '"'],
  [0x2010, '-'],
  [0x2013, '-'],
  [0x2014, '-'],
  [0x2212, '-'],
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
/** Of one kind: enough to judge a text by; the rest would only cost time. */
const runsMax = 16;

/**
 * Strips invisible characters and writes compatibility forms of ASCII as ASCII: the part of Unicode
 * NFKC that hides an ASCII word from a rule. Everything else stays as it is, so positions map back
 * exactly. Linear in the text; a text without such characters is returned as it is.
 */
export function normalise(text: string): NormalText {
  const from = /[\u0080-\uffff]/.test(text) ? keptUntil(text) : text.length;
  if (from === text.length) return { text, hidden: noRuns, originalOf: samePosition };
  const runs = new HiddenRuns();
  const places = new Places();
  const written = rewrite(text, runs, places);
  const originalOf = (position: number): number => Math.min(text.length, places.originalOf(position));
  return { text: written, hidden: runs.found, originalOf };
}

const noRuns: readonly HiddenRun[] = [];

function samePosition(position: number): number {
  return position;
}

/** Where what was written stands in the original; kept only where the two stop going in step. */
class Places {
  private readonly writtenAt: number[] = [];
  private readonly originals: number[] = [];

  /** From this written position on, until the next one added. */
  add(written: number, original: number): void {
    this.writtenAt.push(written);
    this.originals.push(original);
  }

  originalOf(position: number): number {
    const { writtenAt } = this;
    let low = 0;
    let high = writtenAt.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((writtenAt[middle] ?? 0) <= position) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return position;
    return (this.originals[low - 1] ?? 0) + position - (writtenAt[low - 1] ?? 0);
  }
}

/** Units of one replacement at most. */
const replacementLengthMax = 4;
/** Written to and read before anything else is normalised; larger texts get an array of their own. */
const scratch = new Uint16Array(1 << 16);

function rewrite(text: string, runs: HiddenRuns, places: Places): string {
  const room = text.length * replacementLengthMax;
  const units = room <= scratch.length ? scratch : new Uint16Array(room);
  let written = 0;
  let position = 0;
  while (position < text.length) {
    const code = text.charCodeAt(position);
    if (actions[code] === keep) {
      units[written] = code;
      written += 1;
      position += 1;
      continue;
    }
    const length = unitsAt(text, position);
    const replaced = replacementOf(text, position, length);
    if (replaced === null) {
      for (let unit = 0; unit < length; unit += 1) units[written + unit] = text.charCodeAt(position + unit);
      written += length;
    } else {
      // One unit for one keeps the step; every unit of another replacement points to its beginning.
      const keepsStep = replaced.length === 1 && length === 1;
      for (let unit = 0; unit < replaced.length; unit += 1) {
        if (!keepsStep) places.add(written, position);
        units[written] = replaced.charCodeAt(unit);
        written += 1;
      }
      if (!keepsStep) places.add(written, position + length);
      if (replaced === '') runs.add(text.codePointAt(position) ?? 0, position, position + length);
    }
    position += length;
  }
  return Buffer.from(units.buffer, 0, written * 2).toString('utf16le');
}

/** The first position where something is stripped or written otherwise; the length where there is none. */
function keptUntil(text: string): number {
  let position = 0;
  while (position < text.length) {
    const action = actions[text.charCodeAt(position)];
    if (action === keep) {
      position += 1;
      continue;
    }
    if (action !== highSurrogate) break;
    // Signs and pictures, as most of what stands in pairs.
    const length = unitsAt(text, position);
    if (replacementOf(text, position, length) !== null) break;
    position += length;
  }
  return position;
}

/** Units that belong together: a flag, a surrogate pair, or one. */
function unitsAt(text: string, position: number): number {
  const code = text.charCodeAt(position);
  if (actions[code] !== highSurrogate) return 1;
  const flag = code === 0xd83c ? flagAt(text, position) : 0;
  if (flag > 0) return flag;
  return (text.codePointAt(position) ?? 0) > 0xffff ? 2 : 1;
}

/** Null when the units at `position` stay as they are. */
function replacementOf(text: string, position: number, length: number): string | null {
  const action = actions[text.charCodeAt(position)] ?? keep;
  if (action === strip) return '';
  if (action >= firstReplacement) return replacements[action - firstReplacement] ?? null;
  if (length !== 2) return null;
  const point = text.codePointAt(position) ?? 0;
  if (point >= 0xe0000 && point <= 0xe0fff) return '';
  // Mathematical and enclosed alphanumerics; a small, dense part of the planes above the first.
  if (point >= 0x1d400 && point <= 0x1d7ff) return styledForm(mathematicalForms, point, 0x1d400);
  return point >= 0x1f100 && point <= 0x1f16f ? styledForm(enclosedForms, point, 0x1f100) : null;
}

/** By place in their block, kept once computed: a text may be nothing but such characters. */
type StyledForms = (string | null | undefined)[];
const mathematicalForms: StyledForms = Array.from({ length: 0x400 });
const enclosedForms: StyledForms = Array.from({ length: 0x70 });

function styledForm(forms: StyledForms, point: number, first: number): string | null {
  const known = forms[point - first];
  if (known !== undefined) return known;
  const form = asciiForm(String.fromCodePoint(point));
  forms[point - first] = form;
  return form;
}

/** Flags of England, Scotland and Wales are spelled with tag characters (UTS 51, annex C). */
const flagPattern = new RegExp(
  '\u{1f3f4}\u{e0067}\u{e0062}(?:\u{e0065}\u{e006e}\u{e0067}|' +
    '\u{e0073}\u{e0063}\u{e0074}|\u{e0077}\u{e006c}\u{e0073})\u{e007f}',
  'uy',
);

/** Length of the flag that starts at `position`; 0 when there is none. */
function flagAt(text: string, position: number): number {
  // A tag character must follow the black flag; the expression is dear on a text full of emoji.
  if (text.charCodeAt(position + 1) !== 0xdff4) return 0;
  if (text.charCodeAt(position + 2) !== 0xdb40) return 0;
  flagPattern.lastIndex = position;
  return flagPattern.exec(text)?.[0].length ?? 0;
}

/** Collects runs of stripped characters; an ordinary character between two ends a run. */
class HiddenRuns {
  readonly found: HiddenRun[] = [];
  private readonly runsOfKind = new Map<HiddenRun['kind'], number>();
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
    const found = this.runsOfKind.get(kind) ?? 0;
    if (!enough || found >= runsMax) return;
    this.runsOfKind.set(kind, found + 1);
    this.found.push({ kind, start: this.start, end });
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
  for (const [mark, ascii] of typographicMarks) {
    table[mark] = firstReplacement + replacements.length;
    replacements.push(ascii);
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
