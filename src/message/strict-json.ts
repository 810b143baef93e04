// SPDX-License-Identifier: Apache-2.0
import { Buffer, isUtf8 } from 'node:buffer';
import type { MessageCode } from './codes.ts';
import { readRoundTrip } from './json-round-trip.ts';
import { scanJson } from './json-scan.ts';
import type { JsonValue } from './json.ts';

/** Bounds on one JSON text. Every bound is checked before the work that it bounds. */
export type JsonLimits = {
  /** Length of the UTF-8 form. */
  readonly bytesMax: number;
  /** Containers open at one time; 0 allows a scalar only. */
  readonly depthMax: number;
  /** Object members and array elements of the whole text together. */
  readonly membersMax: number;
  /** UTF-16 code units of one member name. */
  readonly keyLengthMax: number;
};

export const defaultJsonLimits: JsonLimits = {
  bytesMax: 1_048_576,
  depthMax: 32,
  membersMax: 20_000,
  keyLengthMax: 1024,
};

export type StrictJsonResult =
  | {
      readonly ok: true;
      readonly value: JsonValue;
      /** True when the text is, character for character, its own RFC 8785 form. */
      readonly canonical: boolean;
    }
  | StrictJsonRefusal;

export type StrictJsonRefusal = {
  readonly ok: false;
  readonly code: MessageCode;
  /** UTF-16 code units into the decoded text; 0 when it was refused before it was read. */
  readonly offset: number;
};

/** What the engine may build of a hostile text before a bound is looked at: UTF-16 code units. */
const roundTripLengthMax = 32_768;

/**
 * Parses one JSON text (RFC 8259) from outside, so that no two readers can disagree about it
 * (I-JSON, RFC 7493): valid UTF-8 without a byte order mark, no duplicate members, no lone
 * surrogates, and only integers that a double holds exactly. Whatever is accepted has a canonical
 * form that is accepted again. Never throws; time and memory are linear in the length of the text.
 */
export function parseStrictJson(
  input: Uint8Array | string,
  limits: JsonLimits = defaultJsonLimits,
): StrictJsonResult {
  const text = typeof input === 'string' ? readString(input, limits) : readBytes(input, limits);
  if (typeof text !== 'string') return text;
  const read = text.length <= roundTripLengthMax ? readRoundTrip(text, limits) : null;
  return read === null ? parseScanning(text, limits) : { ok: true, ...read };
}

/** The same answer for every text; exported for the test that compares both ways. */
export function parseScanning(text: string, limits: JsonLimits): StrictJsonResult {
  if (text.charCodeAt(0) === 0xfeff) return refuse('MESSAGE_BOM', 0);
  const scan = scanJson(text, limits);
  if (scan.code !== null) return refuse(scan.code, scan.offset);
  const value = parseScanned(text);
  // The native parser keeps one of two equal members, so a duplicate shows as a missing member.
  if (!scan.ascending && countMembers(value) !== scan.members) {
    return refuse('MESSAGE_DUPLICATE_KEY', scanJson(text, limits, true).offset);
  }
  return { ok: true, value, canonical: scan.canonical };
}

/** The scan has accepted the text, so the native parser can only agree. */
function parseScanned(text: string): JsonValue {
  const value: JsonValue = JSON.parse(text);
  return value;
}

/** Recursion is bounded by the depth that the scan has checked. */
function countMembers(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  const children = Object.values(value);
  let count = Array.isArray(value) ? 0 : children.length;
  for (const child of children) count += countMembers(child);
  return count;
}

function readBytes(bytes: Uint8Array, limits: JsonLimits): string | StrictJsonRefusal {
  if (!(bytes.byteLength <= limits.bytesMax)) return refuse('MESSAGE_TOO_LARGE', 0);
  if (!isUtf8(bytes)) return refuse('MESSAGE_NOT_UTF8', 0);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

function readString(text: string, limits: JsonLimits): string | StrictJsonRefusal {
  // Every UTF-16 code unit takes at least one byte of UTF-8, so the cheap test comes first.
  if (!(text.length <= limits.bytesMax)) return refuse('MESSAGE_TOO_LARGE', 0);
  if (!(Buffer.byteLength(text, 'utf8') <= limits.bytesMax)) return refuse('MESSAGE_TOO_LARGE', 0);
  if (!text.isWellFormed()) return refuse('MESSAGE_LONE_SURROGATE', 0);
  return text;
}

function refuse(code: MessageCode, offset: number): StrictJsonRefusal {
  return { ok: false, code, offset };
}
