// SPDX-License-Identifier: Apache-2.0
import type { Position } from './diagnostic.ts';

/** One policy of a Cedar file, with where it starts in the file's text. */
export type CedarPart = {
  readonly id: string | null;
  readonly text: string;
  readonly offset: number;
};

/** Where a policy's text begins in its file. */
export type PolicyPlace = {
  readonly file: string;
  readonly text: string;
  readonly offset: number;
};

/** The line and column of a character of a policy. */
export function positionInPolicy(place: PolicyPlace, character: number): Position {
  const before = place.text.slice(0, place.offset + character);
  const line = before.split('\n').length;
  return { file: place.file, line, column: before.length - before.lastIndexOf('\n') };
}

/** A token of Cedar text that may hold a semicolon, or one that ends a policy. */
const tokens = /\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|;/g;
const idAnnotation = /^\s*@id\s*\(\s*"([A-Za-z0-9_.:/ -]{1,128})"\s*\)/;
const blank = /^(?:\s|\/\/[^\n]*(?:\n|$))*$/;

/**
 * Splits Cedar text at the semicolons that end its policies, without loading Cedar. Null when text
 * stands behind the last one: a policy without its end is never dropped in silence.
 */
export function splitCedar(text: string): readonly CedarPart[] | null {
  const parts: CedarPart[] = [];
  let start = 0;
  for (const match of text.matchAll(tokens)) {
    if (match[0] !== ';') continue;
    const end = match.index + 1;
    parts.push(part(text.slice(start, end), start));
    start = end;
  }
  return blank.test(text.slice(start)) ? parts : null;
}

function part(text: string, offset: number): CedarPart {
  const leading = leadingBlank(text);
  const body = text.slice(leading);
  return { id: idAnnotation.exec(body)?.[1] ?? null, text: body, offset: offset + leading };
}

/** Length of the white space and comments before the policy itself. */
function leadingBlank(text: string): number {
  let position = 0;
  for (;;) {
    const skipped = /^(?:\s+|\/\/[^\n]*(?:\n|$))/.exec(text.slice(position))?.[0].length ?? 0;
    if (skipped === 0) return position;
    position += skipped;
  }
}
