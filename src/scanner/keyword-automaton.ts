// SPDX-License-Identifier: Apache-2.0
import { ScannerError } from './scanner-error.ts';

/** Called with the keyword's index and the position after its last character; false ends the pass. */
export type OnKeyword = (keyword: number, end: number) => boolean;

const asciiCount = 128;

/**
 * Finds all of many keywords in one pass over a text (Aho and Corasick, 1975), ASCII letters in
 * either case. Every step is one table look-up, so the time is linear whatever the text.
 */
export class KeywordAutomaton {
  /** Character code -> column of the table; 0 for characters that no keyword holds. */
  private readonly columns = new Uint8Array(asciiCount);
  private columnCount = 1;
  /**
   * Place of a row plus a column -> twice the place of the next row, and one more where keywords end:
   * one look-up and one addition a character.
   */
  private readonly steps: Int32Array<ArrayBuffer>;
  /** state -> keywords that end there. */
  private readonly ends: number[][] = [];

  constructor(keywords: readonly string[]) {
    for (const keyword of keywords) this.addColumns(keyword);
    const trie = buildTrie(keywords);
    this.steps = this.stepsOf(this.link(trie));
  }

  scan(text: string, onKeyword: OnKeyword): void {
    const { columns, steps } = this;
    let row = 0;
    for (let position = 0; position < text.length; position += 1) {
      const code = text.charCodeAt(position);
      const step = steps[row + (code < asciiCount ? (columns[code] ?? 0) : 0)] ?? 0;
      row = step >> 1;
      if ((step & 1) !== 0 && !this.tell(row, position + 1, onKeyword)) return;
    }
  }

  private tell(row: number, end: number, onKeyword: OnKeyword): boolean {
    for (const keyword of this.ends[row / this.columnCount] ?? []) {
      if (!onKeyword(keyword, end)) return false;
    }
    return true;
  }

  private addColumns(keyword: string): void {
    if (keyword.length < 2 || !/^[\x20-\x7e\n]+$/.test(keyword) || /[A-Z]/.test(keyword)) {
      throw new ScannerError('SCAN_RULE_INVALID', 'A keyword is not lower-case ASCII of length 2.');
    }
    for (const character of keyword) {
      const code = character.charCodeAt(0);
      if (this.columns[code] !== 0) continue;
      this.columns[code] = this.columnCount;
      this.columns[character.toUpperCase().charCodeAt(0)] = this.columnCount;
      this.columnCount += 1;
    }
  }

  /** Breadth first: where the trie has no edge, the state goes where its longest suffix goes. */
  private link(trie: readonly TrieNode[]): Uint16Array {
    const table = new Uint16Array(trie.length * this.columnCount);
    const suffixes = new Uint16Array(trie.length);
    const queue = [0];
    for (const state of queue) {
      const node = trie[state];
      if (node === undefined) continue;
      const suffix = suffixes[state] ?? 0;
      const ends = state === 0 ? node.ends : [...node.ends, ...(this.ends[suffix] ?? [])];
      this.ends[state] = ends;
      const row = state * this.columnCount;
      const suffixRow = suffix * this.columnCount;
      if (state !== 0) table.copyWithin(row, suffixRow, suffixRow + this.columnCount);
      for (const [character, child] of node.children) {
        const column = this.columns[character.charCodeAt(0)] ?? 0;
        suffixes[child] = state === 0 ? 0 : (table[row + column] ?? 0);
        table[row + column] = child;
        queue.push(child);
      }
    }
    return table;
  }

  private stepsOf(table: Uint16Array): Int32Array<ArrayBuffer> {
    const wide = this.ends.map((ends, state) => state * this.columnCount * 2 + (ends.length > 0 ? 1 : 0));
    const steps = new Int32Array(table.length);
    for (let place = 0; place < table.length; place += 1) steps[place] = wide[table[place] ?? 0] ?? 0;
    return steps;
  }
}

type TrieNode = { readonly children: Map<string, number>; readonly ends: number[] };

function buildTrie(keywords: readonly string[]): readonly TrieNode[] {
  const root: TrieNode = { children: new Map(), ends: [] };
  const trie = [root];
  for (const [index, keyword] of keywords.entries()) {
    let node = root;
    for (const character of keyword) {
      let child = node.children.get(character);
      if (child === undefined) {
        child = trie.length;
        node.children.set(character, child);
        trie.push({ children: new Map(), ends: [] });
      }
      node = trie[child] ?? root;
    }
    node.ends.push(index);
  }
  if (trie.length > 0xffff) throw new ScannerError('SCAN_RULE_INVALID', 'Too many keywords.');
  return trie;
}
