// SPDX-License-Identifier: Apache-2.0
import type { IndexedValue } from './value-index.ts';

/** Where a value in a person's own text stands, each a source that a manifest may list. */
export const promptSources = {
  /** What is unmistakable: addresses, links, file names, dates, codes, what stands in quotes. */
  whole: 'prompt',
  /** A word with a letter in it, or a run of up to six of them as they stand. */
  words: 'prompt.words',
  /** A number that is no part of a date, time, link or word, as a JSON number. */
  numbers: 'prompt.numbers',
  /** A text in which every word is one of the prompt's; see `isComposed`. */
  composed: 'prompt.composed',
} as const;

/** A prompt beyond this gives no values out of its text: all of it then needs a person. */
export const promptTextLengthMax = 16_384;
const phraseWordsMax = 6;
const datesMax = 16;

const month =
  '(January|February|March|April|May|June|July|August|September|October|November|December)';
const emailPattern = /(?<![\w.+%@-])[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}(?![\w@-])/gu;
const hostPattern = String.raw`[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,7}\.[a-z][a-z0-9-]{1,62}`;
const linkPattern = new RegExp(
  String.raw`(?<![\w.@/:-])(?:https?://)?${hostPattern}(?::\d{1,5})?(?:/[\w.~/?#=&%+-]*)?(?![\w@])`,
  'gu',
);
const filePattern = /(?<![\w.@/:-])[\w-]{1,128}\.[A-Za-z][A-Za-z0-9]{1,4}(?![\w@-]|\.\w)/gu;
/** Account numbers, order numbers and the like: long, with letters and digits. */
const codePattern =
  /(?<![\w.@/:-])(?=\w*[A-Za-z])(?=\w*\d\w*\d)[A-Za-z0-9]{8,64}(?![\w@/:-]|\.\w)/gu;
const isoDatePattern = /(?<![\w-])(\d{4})-(\d{2})-(\d{2})(?![\w-])/gu;
const monthFirstPattern = new RegExp(
  String.raw`(?<!\w)${month} (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})(?!\w)`, 'gu');
const dayFirstPattern = new RegExp(
  String.raw`(?<!\w)(\d{1,2})(?:st|nd|rd|th)? ${month},? (\d{4})(?!\w)`, 'gu');
const dayOnlyPattern = new RegExp(
  String.raw`(?<!\w)(?:${month} \d{1,2}(?:st|nd|rd|th)?|\d{1,2}(?:st|nd|rd|th)? ${month})(?!\w)`,
  'gu');
const timePattern = /(?<![\w:])([01]?\d|2[0-3]):([0-5]\d)(?![\w:])/gu;
const quotedPattern = /(?<!\w)(?:'([^'\n]{1,256})'|"([^"\n]{1,256})"|“([^”\n]{1,256})”)(?!\w)/gu;
const wordPattern = /[\p{L}\p{N}](?:[\p{L}\p{N}_'’-]*[\p{L}\p{N}])?/gu;
const numberPattern = /(?<![\w.,:/-])-?\d{1,15}(?:\.\d{1,9})?(?![\w:/-]|[.,]\d)/gu;
const monthNames = month.slice(1, -1).split('|');
/** Up to this many digits a number in a composed text says a rank or a count, and no account. */
const composedDigitsMax = 3;

/**
 * The values in a text that a person wrote, for the index. Sound where it is unsure: it gives no
 * value rather than a piece of one. A host name is never cut (`company.co` is not in
 * `company.co.uk`); a bare number is never an identifier; nothing is taken out of an address.
 * Linear in the text.
 */
export function promptValues(text: string): readonly IndexedValue[] {
  if (text.length > promptTextLengthMax) return [];
  const found = new Map<string, IndexedValue>();
  const note = (value: string | number, source: string): void => {
    const key = JSON.stringify(value);
    if (key.length <= 258) found.set(`${source} ${key}`, { value: key, source });
  };
  for (const match of text.matchAll(quotedPattern)) {
    note(match[1] ?? match[2] ?? match[3] ?? '', promptSources.whole);
  }
  const withoutEmails = take(text, emailPattern, (email) => note(email, promptSources.whole));
  const withoutLinks = takeLinks(withoutEmails, (link) => note(link, promptSources.whole));
  const prose = take(withoutLinks, filePattern, (file) => note(file, promptSources.whole));
  for (const [code] of prose.matchAll(codePattern)) note(code, promptSources.whole);
  noteDates(prose, note);
  const plain = [isoDatePattern, monthFirstPattern, dayFirstPattern, dayOnlyPattern, timePattern]
    .reduce((rest, pattern) => take(rest, pattern, () => undefined), prose);
  for (const match of plain.matchAll(numberPattern)) note(Number(match[0]), promptSources.numbers);
  noteWords(prose, note);
  return [...found.values()];
}

/** The links in a text of one's own side, such as a colleague's message; e-mail left out. */
export function linksIn(text: string): readonly string[] {
  if (text.length > promptTextLengthMax) return [];
  const links: string[] = [];
  takeLinks(take(text, emailPattern, () => undefined), (link) => links.push(link));
  return links;
}

/**
 * True when every word of the text is one of the known words, whatever its case, or a number of at
 * most three digits: whoever made it could choose an order, and nothing else. Links, addresses and
 * longer numbers are in no such text unless the prompt had them as words.
 */
export function isComposed(text: string, isKnownWord: (word: string) => boolean): boolean {
  // What joins words into an address or a path is not punctuation of a sentence.
  if (/[@/\\]|\w[.:]\w/u.test(text)) return false;
  let hasLetter = false;
  for (const [match] of text.matchAll(wordPattern)) {
    for (const word of match.split(/[-_'’]/u)) {
      const isNumber = /^\d+$/u.test(word);
      if (isNumber ? word.length > composedDigitsMax : !isKnownWord(word.toLowerCase())) return false;
      hasLetter ||= /\p{L}/u.test(word);
    }
  }
  return hasLetter;
}

type Note = (value: string | number, source: string) => void;

function noteDates(text: string, note: Note): void {
  const dates = new Set<string>();
  for (const [, year = '', monthOf = '', day = ''] of text.matchAll(isoDatePattern)) {
    dates.add(`${year}-${monthOf}-${day}`);
  }
  for (const [, name = '', day = '', year = ''] of text.matchAll(monthFirstPattern)) {
    dates.add(isoDate(year, name, day));
  }
  for (const [, day = '', name = '', year = ''] of text.matchAll(dayFirstPattern)) {
    dates.add(isoDate(year, name, day));
  }
  const times = new Set<string>();
  for (const [, hour = '', minute = ''] of text.matchAll(timePattern)) {
    times.add(`${hour.padStart(2, '0')}:${minute}`);
  }
  const kept = [...dates].slice(0, datesMax);
  for (const date of kept) note(date, promptSources.whole);
  for (const time of [...times].slice(0, datesMax)) {
    note(time, promptSources.whole);
    // The three spellings of a local date and time that ISO 8601 and RFC 3339 leave open.
    for (const date of kept) {
      for (const spelt of [`${date} ${time}`, `${date}T${time}`, `${date}T${time}:00`]) {
        note(spelt, promptSources.whole);
      }
    }
  }
}

function isoDate(year: string, name: string, day: string): string {
  const number = String(monthNames.indexOf(name) + 1).padStart(2, '0');
  return `${year}-${number}-${day.padStart(2, '0')}`;
}

function noteWords(text: string, note: Note): void {
  const words = [...text.matchAll(wordPattern)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
    text: match[0],
  }));
  for (const [index, first] of words.entries()) {
    for (const part of first.text.split(/[-_'’]/u)) {
      if (part !== '') note(part.toLowerCase(), promptSources.composed);
    }
    let end = first.end;
    for (let count = 1; count <= phraseWordsMax; count += 1) {
      const phrase = text.slice(first.start, end);
      if (/\p{L}/u.test(phrase)) note(phrase, promptSources.words);
      const next = words[index + count];
      if (next === undefined || text.slice(end, next.start) !== ' ') break;
      end = next.end;
    }
  }
}

/** Hands over each match and returns the text with a break in its place. */
function take(text: string, pattern: RegExp, each: (match: string) => void): string {
  return text.replace(pattern, (match: string) => {
    each(match);
    return '\n';
  });
}

function takeLinks(text: string, each: (link: string) => void): string {
  let rest = '';
  let from = 0;
  for (const match of text.matchAll(linkPattern)) {
    const end = match.index + match[0].length;
    rest += `${text.slice(from, match.index)}\n`;
    from = end;
    if (endsThere(text, end)) each(match[0].replace(/[.?]+$/u, ''));
  }
  return rest + text.slice(from);
}

/**
 * Whether an address ends here. A full stop may end the sentence, also where its space was
 * forgotten: a capitalised word of two letters or more, then a space, is no further label.
 */
function endsThere(text: string, end: number): boolean {
  const after = text.slice(end, end + 40);
  return !/^(?:[.:-]\w|[@\w])/u.test(after) || /^\.[A-Z][a-z]{2,30} /u.test(after);
}

