// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '../message/json.ts';

/** Marks that stand in place of white space; none of them survives in judged text. */
const marks = ['▁', '¦', '‖', '†', '‡', '¤', '◊', '§'] as const;
/** Longer runs are cut by a mark, so that a suffix found by search meets other tokens each time. */
const runMax = 24;
const itemsMax = 128;
const depthMax = 32;
const kept = /[\p{L}\p{M}\p{N}.,:;!?@%+\-_/='()#&$€*]/u;

export type Fence = {
  readonly mark: string;
  /** 96 random bits as hex: text that was written before cannot know it. */
  readonly nonce: string;
};

export type Fenced = {
  /** One line for each text, between a line that opens the fence and one that closes it. */
  readonly text: string;
  /** True when not everything is in it: what was left out was not judged. */
  readonly isCut: boolean;
};

/** A fence of its own for each call; `random` gives uniform bytes. */
export function newFence(random: (count: number) => Uint8Array): Fence {
  const bytes = random(13);
  const nonce = Buffer.from(bytes.subarray(0, 12)).toString('hex');
  return { nonce, mark: marks[(bytes[12] ?? 0) % marks.length] ?? marks[0] };
}

/**
 * What an agent wrote, as a judge is shown it: every scalar on a line of its own, compatibility forms
 * folded, what is no letter, digit or plain punctuation spelt as a code point, white space replaced
 * by the mark, long runs cut. So no line of it can end the fence, open another, or be the JSON of an
 * answer. The attacker controls all of `content` and knows everything but nonce and mark
 * (judge-assurance: limit and re-tokenise judged text). At most `charactersMax` characters of it.
 */
export function fenced(content: JsonValue, charactersMax: number, fence: Fence): Fenced {
  const items: { readonly path: string; readonly text: string }[] = [];
  let isCut = !collect(content, '', 0, items);
  let left = charactersMax;
  const lines: string[] = [];
  for (const { path, text } of items) {
    if (left <= 0) {
      isCut = true;
      break;
    }
    const shown = `${encode(path.slice(0, 128), fence)} := ${encode(text.slice(0, left), fence)}`;
    if (text.length > left || path.length > 128) isCut = true;
    left -= text.length + path.length;
    lines.push(shown);
  }
  const { nonce } = fence;
  return { text: [`<data ${nonce}>`, ...lines, `</data ${nonce}>`].join('\n'), isCut };
}

/** Names of members are the agent's too, so they are encoded as values are. */
function collect(
  value: JsonValue,
  path: string,
  depth: number,
  items: { readonly path: string; readonly text: string }[],
): boolean {
  if (items.length >= itemsMax || depth > depthMax) return false;
  if (typeof value !== 'object' || value === null) {
    items.push({ path, text: String(value) });
    return true;
  }
  const members = Array.isArray(value)
    ? value.map((item, index) => [String(index), item] as const)
    : Object.entries(value);
  return members.every(([name, member]) => collect(member, `${path}/${name}`, depth + 1, items));
}

function encode(text: string, { mark }: Fence): string {
  const out: string[] = [];
  let run = 0;
  for (const character of text.normalize('NFKC')) {
    if (/\s/u.test(character)) {
      if (run > 0) out.push(mark);
      run = 0;
      continue;
    }
    if (run >= runMax) {
      out.push(mark);
      run = 0;
    }
    run += 1;
    out.push(kept.test(character) ? character : spelt(character));
  }
  return out.join('');
}

function spelt(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')};`;
}
