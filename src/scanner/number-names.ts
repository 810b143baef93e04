// SPDX-License-Identifier: Apache-2.0
import { identityNumbers, letteredNumbers } from './identity-numbers.ts';
import { KeywordAutomaton } from './keyword-automaton.ts';

/** How far behind its name a number may begin. */
const distanceMax = 48;
const hitsMax = 4096;

/** Words that say that a number is one to call. */
const phoneNames = ['phone', 'tel', 'call', 'mobile', 'cell', 'fax', 'whatsapp', 'sms', 'handy', 'rufnummer'];

const named = [...identityNumbers, ...letteredNumbers, { id: 'phone', names: phoneNames }];
const keywords = named.flatMap(({ id, names }) =>
  names.map((name) => ({ id, name: name.toLowerCase(), isWord: name.length <= 4 })),
);
const automaton = new KeywordAutomaton(
  keywords.map(({ name }) => name.normalize('NFKD').replaceAll(/[^\x20-\x7e]/g, '')),
);

/** Where the names of numbers stand in one text. */
export class NumberNames {
  private readonly ends = new Map<string, number[]>();

  /** One pass over the text; linear. */
  constructor(text: string) {
    let hits = 0;
    automaton.scan(text, (index, end) => {
      const keyword = keywords[index];
      if (keyword === undefined || hits >= hitsMax) return false;
      if (isLetter(text.charCodeAt(end - keyword.name.length - 1))) return true;
      if (keyword.isWord && isLetter(text.charCodeAt(end))) return true;
      hits += 1;
      const ends = this.ends.get(keyword.id);
      if (ends === undefined) this.ends.set(keyword.id, [end]);
      else ends.push(end);
      return true;
    });
  }

  /** One of the names of the number stands shortly before the position. */
  isNamed(id: string, position: number): boolean {
    const ends = this.ends.get(id);
    if (ends === undefined) return false;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 0) <= position) low = middle + 1;
      else high = middle;
    }
    return low > 0 && position - (ends[low - 1] ?? 0) <= distanceMax;
  }
}

function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
