// SPDX-License-Identifier: Apache-2.0

const columns = 80;
const labelColumns = 11;

/** Words of a text in lines of at most 80 columns, each behind `lead`; a longer word stays whole. */
export function wrapped(text: string, lead: string): readonly string[] {
  const lines: string[] = [];
  let line = lead;
  for (const word of text.split(' ')) {
    if (line.length > lead.length && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = ' '.repeat(lead.length);
    }
    line += line.length > lead.length ? ` ${word}` : word;
  }
  return [...lines, line];
}

/** A label and its text, indented by two. */
export function labelled(label: string, text: string): readonly string[] {
  return wrapped(text, `  ${label.padEnd(labelColumns - 1)} `);
}

/**
 * Text of an agent as a terminal may show it: no control character, and nothing that turns the
 * direction of the line or hides in it (CWE-150).
 */
export function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
