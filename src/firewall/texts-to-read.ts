// SPDX-License-Identifier: Apache-2.0
import { saidBy } from './said.ts';

/** Fields that are read one by one; all of them are read together as well. */
const singleTextsMax = 32;
/** A text of fewer words cannot order anything by itself. */
const wordsMin = 3;
const unspacedMin = 5;
const unspaced = /[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g;
const oneWord = /^[\x21-\x7e]{1,128}$/;
/** A name of one word; what is longer without a space is an id, or an order with other signs between its words. */
const nameLengthMax = 24;

/**
 * What the model is to read of a payload's strings and member names: every one that holds words,
 * alone, since around it stands what dilutes it; and all strings as one text, since an order may be
 * cut into many. Ids, numbers, dates and names of one word are read in the whole only, and not at
 * all where the payload holds nothing else; of an id only its words are, since what chance wrote means
 * nothing and may look like anything. No schema is asked which strings are ids: an order without
 * spaces fits most patterns of one. Linear in the strings.
 */
export function textsToRead(strings: readonly string[]): readonly string[] {
  const worded: string[] = [];
  const all: string[] = [];
  for (const text of strings) {
    const isToken = text.length > nameLengthMax && oneWord.test(text);
    const said = isToken ? saidBy(text) : text;
    if (isToken ? said === text : hasWords(text)) worded.push(text);
    if (said !== '') all.push(said);
  }
  const whole = all.join('\n');
  if (worded.length === 0) return isFewNames(whole) ? [] : readable(whole);
  const [only] = worded;
  if (only !== undefined && whole === only) return [only];
  return [...worded.slice(0, singleTextsMax), whole];
}

/** Names of one word each, and no more of them than may stand together without saying anything. */
function isFewNames(whole: string): boolean {
  const names = whole.split(/[ \n]/, wordsMin + 1);
  return names.length <= wordsMin && names.every((name) => name === '' || oneWord.test(name));
}

/** Nothing but marks and digits orders nothing. */
function readable(text: string): readonly string[] {
  return /\p{L}/u.test(text) ? [text] : [];
}

function hasWords(text: string): boolean {
  if (oneWord.test(text)) return false;
  const words = text.match(/\p{L}{2,}/gu)?.length ?? 0;
  return words >= wordsMin || (text.match(unspaced)?.length ?? 0) >= unspacedMin;
}
