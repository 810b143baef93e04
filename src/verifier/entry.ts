// SPDX-License-Identifier: Apache-2.0
import { textOf } from './bytes.ts';
import { plainEntry } from './plain-entry.ts';

/** An entry as the verifier reads it: only what it decides by. */
export type Entry = {
  readonly kind: string;
  readonly id: string;
  readonly actor: string;
  readonly message: string | null;
  readonly causedBy: readonly string[];
  readonly outcome: string | null;
  /** Made when it is asked for: ask only for entries that it decides something about. */
  readonly detail: { readonly [name: string]: unknown };
  /** Its place among what its writer wrote, from its detail; null where it has none. */
  readonly writer: string | null;
  readonly sequence: number;
  readonly recordedAt: number;
};

const kindPattern = /^[a-z]+\.[a-z-]+$/;
const idPattern = /^[!-~]{1,160}$/;
const codePattern = /^[A-Z][A-Z0-9_-]{0,63}$/;
const textLengthMax = 1024;

/**
 * The entry in these bytes; null when they are anything but the RFC 8785 form of one: an unknown or
 * doubled member, other order or spacing, ill-formed UTF-8. Two readers cannot see two entries.
 */
export function parseEntry(bytes: Uint8Array): Entry | null {
  const text = textOf(bytes);
  return text === null ? null : (plainEntry(text) ?? parseAnyEntry(text));
}

/** The long way, for whatever the short one does not read. */
export function parseAnyEntry(text: string): Entry | null {
  try {
    const value: unknown = JSON.parse(text);
    if (!isEntry(value) || !isCanonical(value, text)) return null;
    const { writer } = value.detail;
    return { ...value, writer: typeof writer === 'string' ? writer : null };
  } catch {
    // Not JSON, or nested too deeply to be written again.
    return null;
  }
}

type Check = (value: unknown) => boolean;
type Members = readonly (readonly [name: string, fits: Check])[];

const finding: Members = [
  ['code', isText],
  ['digest', orNull(isText)],
  ['end', orNull(isAmount)],
  ['path', orNull(isText)],
  ['rule', isText],
  ['start', orNull(isAmount)],
];
const verdict: Members = [
  ['control', isId],
  ['findings', listOf(1024, (value) => hasExactly(value, finding))],
  ['outcome', isOutcome],
  ['tookUs', isAmount],
  ['version', isText],
];
const entry: Members = [
  ['actor', isId],
  ['at', isAmount],
  ['causedBy', listOf(256, isId)],
  ['code', orNull((value) => typeof value === 'string' && codePattern.test(value))],
  ['detail', isObject],
  ['id', isId],
  ['kind', (value) => typeof value === 'string' && kindPattern.test(value)],
  ['message', orNull(isId)],
  ['outcome', orNull(isOutcome)],
  ['recordedAt', isCount],
  ['sequence', isCount],
  ['task', orNull(isId)],
  ['tookUs', orNull(isAmount)],
  ['verdicts', listOf(64, (value) => hasExactly(value, verdict))],
];

function isEntry(value: unknown): value is Omit<Entry, 'writer'> {
  return hasExactly(value, entry);
}

function hasExactly(value: unknown, members: Members): boolean {
  if (!isObject(value) || Object.keys(value).length !== members.length) return false;
  // No function per member: this runs for every member of every entry.
  for (const member of members) {
    if (!Object.hasOwn(value, member[0]) || !member[1](value[member[0]])) return false;
  }
  return true;
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf(lengthMax: number, fits: Check): Check {
  return (value) => Array.isArray(value) && value.length <= lengthMax && value.every(fits);
}

function orNull(fits: Check): Check {
  return (value) => value === null || fits(value);
}

function isId(value: unknown): boolean {
  return typeof value === 'string' && idPattern.test(value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= textLengthMax;
}

function isOutcome(value: unknown): boolean {
  return value === 'GO' || value === 'NO-GO' || value === 'ESCALATE';
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** RFC 8785 writes numbers and strings as ECMAScript does; what is left to see is the order. */
function isCanonical(value: unknown, text: string): boolean {
  return isInOrder(value) ? JSON.stringify(value) === text : inOrder(value) === text;
}

function isInOrder(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (!isInOrder(item)) return false;
    return true;
  }
  let before = '';
  for (const name of Object.keys(value)) {
    if (name < before || !isInOrder(Reflect.get(value, name))) return false;
    before = name;
  }
  return true;
}

/** Names such as `10` and `9` come out of an object by number, and stand in a line by character. */
function inOrder(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(inOrder).join(',')}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, one]) => `${JSON.stringify(name)}:${inOrder(one)}`).join(',')}}`;
}
