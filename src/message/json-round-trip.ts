// SPDX-License-Identifier: Apache-2.0
import { isForbidden } from './forbidden-keys.ts';
import type { ScanLimits } from './json-scan.ts';
import type { JsonValue } from './json.ts';

export type RoundTrip = {
  readonly value: JsonValue;
  /** True when the text is, character for character, its own RFC 8785 form. */
  readonly canonical: boolean;
};

/**
 * Reads a text by the engine's own parser and serialiser, several times faster than any scan in
 * JavaScript: what comes back character for character had no duplicate member, no white space, no
 * number that lost a digit and no escape that could be written otherwise. Null wherever that proves
 * nothing, or a bound is passed: then the scan decides, and names the reason. The text is bounded by
 * the caller, for the engine builds all of it before a bound is looked at.
 */
export function readRoundTrip(text: string, limits: ScanLimits): RoundTrip | null {
  // The serialiser writes a lone surrogate as the escape it came from.
  if (text.includes('\\u')) return null;
  const value = parsed(text);
  if (value === undefined) return null;
  const walk = new BoundedWalk(limits);
  if (!walk.visit(value, 0) || JSON.stringify(value) !== text) return null;
  return { value, canonical: walk.inOrder };
}

function parsed(text: string): JsonValue | undefined {
  try {
    const value: JsonValue = JSON.parse(text);
    return value;
  } catch {
    // Not JSON: the scan says where.
    return undefined;
  }
}

/** Ends at the first value beyond a bound, so recursion is never deeper than `depthMax`. */
class BoundedWalk {
  inOrder = true;
  private readonly limits: ScanLimits;
  private elements = 0;

  constructor(limits: ScanLimits) {
    this.limits = limits;
  }

  visit(value: JsonValue, depth: number): boolean {
    this.elements += 1;
    if (!(this.elements <= this.limits.membersMax)) return false;
    if (typeof value === 'number') return Math.abs(value) <= Number.MAX_SAFE_INTEGER;
    if (typeof value !== 'object' || value === null) return true;
    if (!(depth < this.limits.depthMax)) return false;
    if (Array.isArray(value)) return value.every((item: JsonValue) => this.visit(item, depth + 1));
    let previous: string | null = null;
    for (const [key, member] of Object.entries(value)) {
      if (!(key.length <= this.limits.keyLengthMax) || isForbidden(key)) return false;
      if (previous !== null && key <= previous) this.inOrder = false;
      previous = key;
      if (!this.visit(member, depth + 1)) return false;
    }
    return true;
  }
}
