// SPDX-License-Identifier: Apache-2.0
import { envelopeBounds, isPointer, isSource } from '../message/envelope-parse.ts';
import type { JsonValue } from '../message/json.ts';
import { LabelError } from './label-error.ts';
import { isComposed, promptSources } from './text-values.ts';

export const indexedValuesMax = 4096;
export const indexedStringLengthMax = 256;
/** A text beyond this is not looked at for being the prompt's words. */
const composedLengthMax = 2048;

/** One value that a declared source gave, as it is stored. */
export type IndexedValue = {
  /** The canonical JSON of the scalar, so that `1` and `"1"` are two values. */
  readonly value: string;
  readonly source: string;
};

/** The declared source of the value at a JSON Pointer, or null when it has none to speak of. */
export type SourceOf = (pointer: string) => string | null;

/**
 * Which declared sources have given which values to one agent process (G5). Only whole scalar
 * values count, never parts of a string: an attacker must not have a piece of a trusted text
 * vouched for. What is not in the index has no source, so dropping entries is safe: it can only
 * refuse more.
 */
export class ValueIndex {
  private readonly sourcesByValue = new Map<string, Set<string>>();
  private readonly valuesMax: number;

  constructor(valuesMax: number = indexedValuesMax) {
    this.valuesMax = valuesMax;
  }

  /** The number of values held, at most `valuesMax`. */
  get size(): number {
    return this.sourcesByValue.size;
  }

  /**
   * Notes every scalar of a value that `sourceOf` gives a source; strings of more than 256
   * characters and null are left out. The caller, not the agent, names the sources. Returns what
   * was noted, to be stored; feeding it to `restore` in the same order gives the same index.
   */
  indexValues(value: JsonValue, sourceOf: SourceOf): readonly IndexedValue[] {
    const noted: IndexedValue[] = [];
    visitScalars(value, '', (scalar, pointer) => {
      const key = keyOf(scalar);
      const source = key === null ? null : sourceOf(pointer);
      if (key === null || source === null || !isSource(source)) return;
      this.note(key, source);
      noted.push({ value: key, source });
    });
    return noted;
  }

  /** Notes stored values again. Throws `LabelError` LABEL_STATE_INVALID on what it never stored. */
  restore(values: readonly IndexedValue[]): void {
    for (const { value, source } of values) {
      if (typeof value !== 'string' || typeof source !== 'string' || !isSource(source)) {
        throw new LabelError('LABEL_STATE_INVALID', 'A stored value of the index is not one.');
      }
      this.note(value, source);
    }
  }

  /** Every value held with every source of it, oldest first. */
  entries(): readonly IndexedValue[] {
    const entries: IndexedValue[] = [];
    for (const [value, sources] of this.sourcesByValue) {
      for (const source of sources) entries.push({ value, source });
    }
    return entries;
  }

  /**
   * The sources of each scalar of a payload that equals an indexed value, by JSON Pointer, in the
   * form and bounds of `sources` in an envelope. What exceeds a bound is left out.
   */
  sourcesFor(payload: JsonValue): { readonly [pointer: string]: readonly string[] } {
    const found = new Map<string, readonly string[]>();
    visitScalars(payload, '', (scalar, pointer) => {
      if (found.size >= envelopeBounds.sourcePointersMax || !isPointer(pointer)) return;
      const key = keyOf(scalar);
      const sources = key === null ? undefined : this.sourcesByValue.get(key);
      const composed = typeof scalar === 'string' && this.isOwnWords(scalar);
      const all = new Set([...(sources ?? []), ...(composed ? [promptSources.composed] : [])]);
      const sorted = [...all].sort().slice(0, envelopeBounds.sourcesPerPointerMax);
      if (sorted.length > 0) found.set(pointer, sorted);
    });
    return Object.fromEntries(found);
  }

  private isOwnWords(text: string): boolean {
    return text.length <= composedLengthMax && isComposed(text, (word) =>
      this.sourcesByValue.get(JSON.stringify(word))?.has(promptSources.composed) === true);
  }

  private note(key: string, source: string): void {
    const sources = this.sourcesByValue.get(key) ?? new Set<string>();
    if (sources.size < envelopeBounds.sourcesPerPointerMax) sources.add(source);
    // Set anew at the end: the map's order is that of last use, and the oldest leaves first.
    this.sourcesByValue.delete(key);
    this.sourcesByValue.set(key, sources);
    if (this.sourcesByValue.size <= this.valuesMax) return;
    const oldest = this.sourcesByValue.keys().next();
    if (oldest.done !== true) this.sourcesByValue.delete(oldest.value);
  }
}

type Scalar = string | number | boolean | null;

/** Null for what is not indexed. */
function keyOf(scalar: Scalar): string | null {
  if (scalar === null) return null;
  if (typeof scalar === 'string' && scalar.length > indexedStringLengthMax) return null;
  if (typeof scalar === 'number' && !Number.isFinite(scalar)) return null;
  return JSON.stringify(scalar);
}

/** Recursion is bounded by the depth that the strict parser allows. */
function visitScalars(
  value: JsonValue,
  pointer: string,
  visit: (scalar: Scalar, pointer: string) => void,
): void {
  if (typeof value !== 'object' || value === null) {
    visit(value, pointer);
    return;
  }
  for (const [key, member] of Object.entries(value)) {
    visitScalars(member, `${pointer}/${escapeSegment(key)}`, visit);
  }
}

/** RFC 6901, section 3. */
function escapeSegment(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
