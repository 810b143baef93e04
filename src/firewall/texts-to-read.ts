// SPDX-License-Identifier: Apache-2.0

/** Fields that are read one by one; all of them are read together as well. */
const singleTextsMax = 32;
/** A text of fewer words cannot order anything by itself. */
const wordsMin = 3;
const unspacedMin = 5;
const unspaced = /[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g;
const oneWord = /^[\x21-\x7e]{1,48}$/;

/**
 * What the model is to read of a payload's strings and member names: every one that holds words,
 * alone, since around it stands what dilutes it; and all strings as one text, since an order may be
 * cut into many. Ids, numbers, dates and names of one word are read in the whole only, and not at
 * all where the payload holds nothing else. Linear in the strings.
 */
export function textsToRead(strings: readonly string[]): readonly string[] {
  const worded = strings.filter(hasWords);
  const whole = strings.filter((text) => text !== '').join('\n');
  if (worded.length === 0) return strings.every((text) => oneWord.test(text) || text === '') && strings.length <= wordsMin ? [] : readable(whole);
  const [only] = worded;
  if (only !== undefined && whole === only) return [only];
  return [...worded.slice(0, singleTextsMax), whole];
}

/** Nothing but marks and digits orders nothing. */
function readable(text: string): readonly string[] {
  return /\p{L}/u.test(text) ? [text] : [];
}

function hasWords(text: string): boolean {
  if (oneWord.test(text)) return text.length > 24;
  const words = text.match(/\p{L}{2,}/gu)?.length ?? 0;
  return words >= wordsMin || (text.match(unspaced)?.length ?? 0) >= unspacedMin;
}
