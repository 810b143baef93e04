// SPDX-License-Identifier: Apache-2.0
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Document, Node } from 'yaml';
import { diagnostic, type Diagnostic, type Position } from './diagnostic.ts';

export type Path = readonly (string | number)[];

/** Configuration is written by people; anything larger is a mistake or an attack on the loader. */
export const sourceCharactersMax = 1_048_576;
const aliasCountMax = 100;

/**
 * A parsed YAML 1.2 (core schema) or JSON text that remembers where everything stands. Duplicate
 * keys, unresolved tags, alias bombs, several documents and the key `__proto__` are refused.
 */
export class YamlSource {
  readonly file: string;
  readonly value: unknown;
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;

  constructor(file: string, value: unknown, document: Document.Parsed, lines: LineCounter) {
    this.file = file;
    this.value = value;
    this.#document = document;
    this.#lines = lines;
  }

  /** Where the value at `path` starts; of its nearest existing ancestor when there is none. */
  at(path: Path): Position {
    const { offset } = this.#find(path);
    return this.#position(offset);
  }

  /** Where the key of the last step of `path` starts. */
  atKey(path: Path): Position {
    const { offset, keyOffset } = this.#find(path);
    return this.#position(keyOffset ?? offset);
  }

  has(path: Path): boolean {
    return this.#find(path).found;
  }

  /** From where to where a scalar is written at `path` itself; null for anything else, an alias included. */
  spanOf(path: Path): { readonly start: number; readonly end: number } | null {
    const node: unknown = this.#document.getIn(path, true);
    const range = isScalar(node) ? node.range : null;
    return range === null || range === undefined ? null : { start: range[0], end: range[1] };
  }

  /** Where a character of a literal text value stands cannot be told; its start is given. */
  #position(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  #find(path: Path): { offset: number; keyOffset: number | null; found: boolean } {
    let node: unknown = this.#document.contents;
    let offset = offsetOf(node) ?? 0;
    let keyOffset: number | null = null;
    for (const step of path) {
      const whole = isAlias(node) ? node.resolve(this.#document) : node;
      keyOffset = null;
      if (isMap(whole)) {
        const pair = whole.items.find((item) => keyText(item.key) === String(step));
        if (pair === undefined) return { offset, keyOffset, found: false };
        keyOffset = offsetOf(pair.key);
        node = pair.value;
        offset = offsetOf(node) ?? keyOffset ?? offset;
      } else if (isSeq(whole)) {
        const item: unknown = whole.items[Number(step)];
        if (item === undefined) return { offset, keyOffset, found: false };
        node = item;
        offset = offsetOf(node) ?? offset;
      } else {
        return { offset, keyOffset, found: false };
      }
    }
    return { offset, keyOffset, found: true };
  }
}

export type ParsedSource =
  | { readonly ok: true; readonly source: YamlSource }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Parses a configuration text; every syntax error comes with its position. Never throws. */
export function parseYaml(file: string, text: string): ParsedSource {
  const start: Position = { file, line: 1, column: 1 };
  if (!(text.length <= sourceCharactersMax)) {
    return { ok: false, diagnostics: [diagnostic('MESH_FILE_TOO_LARGE', 'error', start)] };
  }
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      version: '1.2',
      schema: 'core',
      merge: false,
      uniqueKeys: true,
      prettyErrors: false,
      logLevel: 'silent',
    });
    const problems = [
      ...syntaxProblems(file, document, lines),
      ...keyProblems(file, document, lines),
    ];
    if (problems.length > 0) return { ok: false, diagnostics: problems };
    const value: unknown = document.toJS({ maxAliasCount: aliasCountMax });
    return { ok: true, source: new YamlSource(file, value, document, lines) };
  } catch (error) {
    // `toJS` refuses alias bombs with ReferenceError; nesting beyond the stack is a RangeError.
    const code = error instanceof ReferenceError ? 'MESH_ALIAS_BOMB' : 'MESH_SYNTAX';
    return { ok: false, diagnostics: [diagnostic(code, 'error', start)] };
  }
}

function syntaxProblems(file: string, document: Document.Parsed, lines: LineCounter): Diagnostic[] {
  return [...document.errors, ...document.warnings].map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    const position = { file, line: Math.max(1, line), column: Math.max(1, col) };
    if (error.code === 'DUPLICATE_KEY') return diagnostic('MESH_KEY_DUPLICATE', 'error', position);
    return diagnostic('MESH_SYNTAX', 'error', position, `Not valid YAML 1.2: ${error.code}.`);
  });
}

/** A key that is no plain text, or that JavaScript treats as an object's prototype, is refused. */
function keyProblems(file: string, document: Document.Parsed, lines: LineCounter): Diagnostic[] {
  const problems: Diagnostic[] = [];
  visit(document, {
    Pair: (_, pair) => {
      const text = keyText(pair.key);
      if (text !== null && text !== '__proto__') return;
      const { line, col } = lines.linePos(offsetOf(pair.key) ?? 0);
      const position = { file, line: Math.max(1, line), column: Math.max(1, col) };
      problems.push(diagnostic('MESH_KEY_FORBIDDEN', 'error', position));
    },
  });
  return problems;
}

function keyText(key: unknown): string | null {
  if (!isScalar(key)) return null;
  const { value } = key;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}

function offsetOf(node: unknown): number | null {
  const range = (node as Node | null | undefined)?.range;
  return range === undefined || range === null ? null : range[0];
}
