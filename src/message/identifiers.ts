// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { Clock, Random } from './clock.ts';
import { MessageError } from './message-error.ts';

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ulidPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const noncePattern = /^[A-Za-z0-9_-]{22}$/;
const digestPattern = /^[A-Za-z0-9_-]{43}$/;
const namePattern = /^[a-z][a-z0-9_-]{0,62}$/;
const schemaIdPattern = /^[a-z][a-z0-9-]{0,62}\/[1-9][0-9]{0,3}$/;
const spiffeIdPattern =
  /^spiffe:\/\/[a-z0-9._-]{1,255}\/agent\/[a-z][a-z0-9_-]{0,62}\/[A-Za-z0-9._-]{1,255}$/;

const traceparentPattern =
  /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

const ulidTimeMsMax = 2 ** 48 - 1;
const ulidRandomBytes = 10;
const nonceBytes = 16;

/**
 * A new ULID: 48 bits of milliseconds since 1970, then 80 random bits, in Crockford's base32. Ids
 * of different milliseconds sort by time; within one millisecond the order is random.
 *
 * Throws `MessageError` when the clock or the random source gives what no ULID can hold: a
 * guessable id would let one message be taken for another.
 */
export function mintUlid(clock: Clock, random: Random): string {
  const timeMs = Math.floor(clock.nowMs());
  if (!(timeMs >= 0 && timeMs <= ulidTimeMsMax)) {
    throw new MessageError('MESSAGE_MEMBER_INVALID', 'The clock is outside the range of a ULID.');
  }
  return timePart(timeMs) + randomPart(takeBytes(random, ulidRandomBytes));
}

/** 128 random bits as 22 characters of base64url. Throws `MessageError` on a short read. */
export function mintNonce(random: Random): string {
  return Buffer.from(takeBytes(random, nonceBytes)).toString('base64url');
}

export function isUlid(text: string): boolean {
  return text.length === 26 && ulidPattern.test(text);
}

/** The milliseconds since 1970 that a ULID carries; null when the text is not one. */
export function ulidTimeMs(text: string): number | null {
  if (!isUlid(text)) return null;
  let timeMs = 0;
  for (const character of text.slice(0, 10)) {
    timeMs = timeMs * 32 + crockford.indexOf(character);
  }
  return timeMs;
}

export function isNonce(text: string): boolean {
  return noncePattern.test(text);
}

/** True for the base64url form of 32 bytes: SHA-256 digests and certificate thumbprints. */
export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}

/** True for a name of the mesh file: agent, domain, action, tool, zone. */
export function isName(text: string): boolean {
  return namePattern.test(text);
}

/** True for `name/major`, for example `action-request/1`. */
export function isSchemaId(text: string): boolean {
  return schemaIdPattern.test(text);
}

/**
 * True for a `traceparent` of W3C Trace Context, version 00, whose ids are not zero. 192 bits that an
 * agent chooses: it is a link for people, and nothing follows from it.
 */
export function isTraceparent(text: unknown): text is string {
  return typeof text === 'string' && traceparentPattern.test(text);
}

/** True for `spiffe://TRUST-DOMAIN/agent/NAME/INSTANCE`. */
export function isAgentSpiffeId(text: string): boolean {
  return spiffeIdPattern.test(text);
}

function takeBytes(random: Random, count: number): Uint8Array {
  const bytes = random.bytes(count);
  if (bytes.length !== count) {
    throw new MessageError('MESSAGE_MEMBER_INVALID', 'The random source gave too few bytes.');
  }
  return bytes;
}

function timePart(timeMs: number): string {
  let rest = timeMs;
  let text = '';
  for (let position = 0; position < 10; position += 1) {
    text = crockford.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function randomPart(bytes: Uint8Array): string {
  let text = '';
  let held = 0;
  let heldBits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    heldBits += 8;
    while (heldBits >= 5) {
      heldBits -= 5;
      text += crockford.charAt((held >>> heldBits) & 31);
    }
    held &= (1 << heldBits) - 1;
  }
  return text;
}
