// SPDX-License-Identifier: Apache-2.0

/** Characters of a piece at most. */
export const pieceLengthMax = 1_200;

/**
 * Cuts a text into pieces for retrieval: at an empty line where one is near the end of a piece, else at
 * the end of a line, a sentence or a word, else anywhere but within a character. Pieces joined are the text.
 */
export function piecesOf(text: string): readonly string[] {
  const pieces: string[] = [];
  for (let from = 0; from < text.length; ) {
    const to = endOfPiece(text, from);
    pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}

function endOfPiece(text: string, from: number): number {
  const end = from + pieceLengthMax;
  if (end >= text.length) return text.length;
  const window = text.slice(from, end);
  const half = pieceLengthMax / 2;
  for (const mark of ['\n\n', '\n', '. ', ' ']) {
    const at = window.lastIndexOf(mark);
    if (at >= half) return from + at + mark.length;
  }
  const unit = text.charCodeAt(end - 1);
  return unit >= 0xd800 && unit <= 0xdbff ? end - 1 : end;
}
