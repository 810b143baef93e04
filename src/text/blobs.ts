// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { gunzipSync, inflateSync, constants } from 'node:zlib';
import type { Effort } from './effort.ts';
import { stepsOf } from './effort.ts';
import { rotatedUnit } from './letters.ts';
import { runLengthMin } from './survey.ts';
import { isOdd, isPlausible, oddBytesMax, textOf } from './utf8.ts';
import { Rewrite } from './view.ts';
import type { Step } from './view.ts';

export type Decoded = { readonly rewrite: Rewrite; readonly steps: ReadonlySet<Step> };

/** Characters of a run that are decoded to see whether the rest is worth it. */
const probeLength = 24;
/** Lines of MIME are 76 characters, of PEM 64; a shorter line ends a run. */
const joinedLineMin = 48;

const base64Values = valuesOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
base64Values['-'.charCodeAt(0)] = 62;
base64Values['_'.charCodeAt(0)] = 63;
const base32Values = valuesOf('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567');
for (let code = 0x61; code <= 0x7a; code += 1) base32Values[code] = base32Values[code - 0x20] ?? 255;
const hexValues = valuesOf('0123456789abcdef');
for (let code = 0x41; code <= 0x46; code += 1) hexValues[code] = hexValues[code + 0x20] ?? 255;
const rotatedHexValues = rotatedValues(hexValues);

/**
 * Undoes hex, base32 and base64 (RFC 4648, both alphabets), with gzip or zlib inside, in place. A
 * run counts as coded when what comes out is text; `runs` are start and end of each run in turn.
 */
export function decodeBlobs(text: string, runs: readonly number[], effort: Effort): Decoded {
  const rewrite = new Rewrite(text);
  const steps = new Set<Step>();
  for (let index = 0; index < runs.length; index += 2) {
    const start = runs[index] ?? 0;
    let end = runs[index + 1] ?? 0;
    while (continuesOnNextLine(text, start, end, runs[index + 2])) {
      end = runs[index + 3] ?? end;
      index += 2;
    }
    if (!effort.take('decoding', stepsOf.attempt)) break;
    const blob = decodeRun(text, start, end, effort);
    if (blob === null) continue;
    if (!effort.take('decoding', stepsOf.replacement)) break;
    for (const step of blob.steps) steps.add(step);
    rewrite.add(blob.start, paddedEnd(text, end), blob.text);
  }
  return { rewrite, steps };
}

function continuesOnNextLine(text: string, start: number, end: number, next?: number): boolean {
  if (next === undefined || next - end > 2 || end - start < joinedLineMin) return false;
  const code = text.charCodeAt(end);
  return code === 0x0a || (code === 0x0d && text.charCodeAt(end + 1) === 0x0a);
}

function paddedEnd(text: string, end: number): number {
  let padded = end;
  while (padded - end < 6 && text.charCodeAt(padded) === 0x3d) padded += 1;
  return padded;
}

type Blob = { readonly text: string; readonly start: number; readonly steps: readonly Step[] };

function decodeRun(text: string, start: number, end: number, effort: Effort): Blob | null {
  const kind = kindOf(text, start, end);
  if (kind === 'words' || !effort.take('decoding', stepsOf.tries)) return null;
  if (kind === 'hex') {
    const read = readAs('hex', text, start, end, effort) ?? readAs('hex', text, start + 1, end, effort);
    if (read !== null) return read;
  }
  if (kind === 'rot13 hex') {
    const read = readAs('rot13 hex', text, start, end, effort);
    if (read !== null) return read;
  }
  if (kind === 'hex' || kind === 'base32') {
    const read = readAs('base32', text, start, end, effort) ??
      readAs('rot13 base32', text, start, end, effort);
    if (read !== null) return read;
  }
  // A character put in front shifts all groups of four.
  for (let shift = 0; shift < 4 && end - start - shift >= runLengthMin; shift += 1) {
    const read = readAs('base64', text, start + shift, end, effort);
    if (read !== null) return read;
  }
  return readAs('rot13 base64', text, start, end, effort);
}

type Kind = 'hex' | 'rot13 hex' | 'base32' | 'base64' | 'words';

/** `hex` may also be base32 and base64, `base32` may be base64; `words` is not worth a try. */
function kindOf(text: string, start: number, end: number): Kind {
  let isHex = true;
  let isRotatedHex = true;
  let isBase32 = true;
  let changes = 0;
  let before = -1;
  const until = Math.min(end, start + 64);
  for (let position = start; position < until; position += 1) {
    const code = text.charCodeAt(position);
    if ((hexValues[code] ?? 255) === 255) isHex = false;
    if ((rotatedHexValues[code] ?? 255) === 255) isRotatedHex = false;
    if ((base32Values[code] ?? 255) === 255) isBase32 = false;
    const kind = code >= 0x61 ? 0 : code >= 0x41 ? 1 : 2;
    if (kind !== before) changes += 1;
    before = kind;
  }
  if (isHex) return 'hex';
  if (isRotatedHex) return 'rot13 hex';
  if (isBase32) return 'base32';
  // Words, names and paths change little between upper case, lower case and the rest.
  return changes * 4 < until - start ? 'words' : 'base64';
}

function readAs(
  coding: Coding,
  text: string,
  start: number,
  end: number,
  effort: Effort,
): Blob | null {
  const length = writeBytes(coding, text, start, Math.min(end, start + probeLength), probed, oddMaxOf(coding));
  if (length <= 0) return null;
  const isPacked = length > 2 && (isGzip(probed) || isZlib(probed));
  if (!isPacked && !isPlausible(probed, length)) return null;
  if (!effort.take('decoding', stepsOf.decode + stepsOf.coded * (end - start))) return null;
  const bytes = bytesOf(coding, text.slice(start, end));
  if (isPacked) {
    const inflated = inflate(bytes, effort);
    if (inflated !== null) return { text: inflated, start, steps: [baseOf(coding), 'gzip'] };
  }
  const decoded = textOf(bytes);
  return decoded === null ? null : { text: decoded, start, steps: [baseOf(coding)] };
}

type Coding = 'hex' | 'base32' | 'base64' | 'rot13 hex' | 'rot13 base32' | 'rot13 base64';

const bitsOfCoding: { readonly [coding in Coding]: number } = {
  hex: 4,
  base32: 5,
  base64: 6,
  'rot13 hex': 4,
  'rot13 base32': 5,
  'rot13 base64': 6,
};
const valuesOfCoding: { readonly [coding in Coding]: Uint8Array } = {
  hex: hexValues,
  base32: base32Values,
  base64: base64Values,
  'rot13 hex': rotatedHexValues,
  'rot13 base32': rotatedValues(base32Values),
  'rot13 base64': rotatedValues(base64Values),
};

function baseOf(coding: Coding): 'hex' | 'base32' | 'base64' {
  if (coding === 'hex' || coding === 'rot13 hex') return 'hex';
  return coding === 'base32' || coding === 'rot13 base32' ? 'base32' : 'base64';
}

/** Overwritten by the next probe: most runs are no code, and cost no memory. */
const probed = new Uint8Array(probeLength);

function bytesOf(coding: Coding, run: string): Uint8Array {
  // The platform's decoders pass over line ends, and are faster than any loop.
  if (coding === 'hex' || coding === 'base64') return Buffer.from(run, coding);
  const bytes = new Uint8Array(run.length);
  return bytes.subarray(0, Math.max(0, writeBytes(coding, run, 0, run.length, bytes)));
}

/** Odd bytes of a probe beyond which it cannot be text, whatever follows. */
function oddMaxOf(coding: Coding): number {
  return oddBytesMax((probeLength * bitsOfCoding[coding]) >> 3);
}

/**
 * The number of bytes written; -1 when a character does not belong to the coding, or so many bytes are odd
 * that it is neither text nor packed: most runs are words, and are left after a few characters.
 */
function writeBytes(
  coding: Coding,
  text: string,
  start: number,
  end: number,
  bytes: Uint8Array,
  oddMax = Infinity,
): number {
  const bits = bitsOfCoding[coding];
  const values = valuesOfCoding[coding];
  let held = 0;
  let heldBits = 0;
  let length = 0;
  let odd = 0;
  for (let position = start; position < end; position += 1) {
    const code = text.charCodeAt(position);
    if (code === 0x0a || code === 0x0d) continue;
    const value = values[code] ?? 255;
    if (value === 255) return -1;
    held = ((held << bits) | value) & 0xffff;
    heldBits += bits;
    if (heldBits < 8) continue;
    heldBits -= 8;
    bytes[length] = (held >> heldBits) & 0xff;
    length += 1;
    // What a byte is can be told once the next one is known.
    if (oddMax === Infinity || length < 2) continue;
    if (isOdd(bytes, length - 2, length)) odd += 1;
    if (odd > oddMax && length > 2 && !isGzip(bytes) && !isZlib(bytes)) return -1;
  }
  return length;
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;
}

/** RFC 1950: deflate with a window of 32 KB, without a dictionary, at one of four levels. */
function isZlib(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  return first === 0x78 && (second === 0x01 || second === 0x5e || second === 0x9c || second === 0xda);
}

/** Null when it is not packed text, or more than the effort allows, which then says so. */
function inflate(bytes: Uint8Array, effort: Effort): string | null {
  const maxOutputLength = effort.takeInflation();
  if (maxOutputLength === 0) return null;
  try {
    // A damaged end does not hide the beginning: models are good at guessing what is cut off.
    const options = { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH };
    return textOf(isGzip(bytes) ? gunzipSync(bytes, options) : inflateSync(bytes, options));
  } catch (failure) {
    // Too long is spent effort, which the caller escalates; anything else is no packed text.
    if (failure instanceof RangeError) effort.exhausted.add('decoding');
    return null;
  }
}

function valuesOf(alphabet: string): Uint8Array {
  const values = new Uint8Array(128).fill(255);
  for (let index = 0; index < alphabet.length; index += 1) values[alphabet.charCodeAt(index)] = index;
  return values;
}

/** The values of an alphabet whose letters were turned by ROT13. */
function rotatedValues(values: Uint8Array): Uint8Array {
  return values.map((_, code) => values[rotatedUnit(code)] ?? 255);
}

/** Reads bytes given as numbers; null when they are no text. */
export function textOfBytes(bytes: readonly number[]): string | null {
  return textOf(Buffer.from(bytes));
}
