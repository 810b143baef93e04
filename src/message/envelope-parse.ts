// SPDX-License-Identifier: Apache-2.0
import type { MessageCode } from './codes.ts';
import type { EnvelopeBody, Label } from './envelope.ts';
import { messageTypes } from './envelope.ts';
import { isAgentSpiffeId, isDigest, isName, isNonce, isSchemaId, isUlid } from './identifiers.ts';
import type { JsonValue } from './json.ts';
import { isJsonObject } from './json.ts';
import {
  anything,
  both,
  exactly,
  integer,
  isAscending,
  mapOf,
  oneOf,
  orNull,
  text,
  texts,
  when,
} from './member-check.ts';

export type ParseRefusal = {
  readonly ok: false;
  readonly code: MessageCode;
  /** JSON Pointer to the member at fault; never holds text that the sender chose. */
  readonly path: string;
};

export type EnvelopeParseResult = { readonly ok: true; readonly body: EnvelopeBody } | ParseRefusal;

/** Bounds of the envelope; `schema/envelope.json` states the same ones. */
export const envelopeBounds = {
  originsMax: 32,
  sourcePointersMax: 256,
  sourcesPerPointerMax: 32,
  pointerLengthMax: 512,
  metadataMax: 32,
  metadataValueLengthMax: 256,
  epistemicItemsMax: 32,
  epistemicLengthMax: 512,
  hopMax: 255,
  mandateLengthMax: 16_384,
  principalsMax: 32,
  timeMsMax: 8_640_000_000_000_000,
} as const;

const bounds = envelopeBounds;
const originPattern = /^(?:\*|[a-z][a-z0-9-]{0,15}(?::[A-Za-z0-9._-]{1,127})?)$/;
const pointerPattern = /^(?:\/(?:[^~/]|~[01])*)*$/;
const sourcePattern = /^[a-z][A-Za-z0-9_*.:@$/-]{0,255}$/;
const metadataKeyPattern = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
const mandatePattern = /^[A-Za-z0-9_.~-]+$/;

const labelCheck = exactly({
  classification: oneOf(['public', 'internal', 'confidential', 'restricted']),
  integrity: oneOf(['trusted', 'internal', 'untrusted']),
  origins: both(texts(bounds.originsMax, isOrigin), when(isOriginSet)),
});

const epistemicText = (item: string): boolean => item.length <= bounds.epistemicLengthMax;

const bodyCheck = exactly({
  v: oneOf([1]),
  type: anything,
  id: text(isUlid),
  schema: text(isSchemaId),
  from: text(isName),
  instance: text(isAgentSpiffeId),
  to: text(isName),
  domain: text(isName),
  task: text(isUlid),
  hop: integer(0, bounds.hopMax),
  causes: exactly({ digest: text(isDigest), count: integer(0, Number.MAX_SAFE_INTEGER) }),
  inReplyTo: orNull(text(isUlid)),
  label: labelCheck,
  sources: mapOf(bounds.sourcePointersMax, isPointer, isSourceSet),
  provenance: exactly({
    source: oneOf(['user', 'tool', 'agent']),
    isolation: oneOf(['none', 'uid', 'container']),
  }),
  epistemic: orNull(
    exactly({
      confidence: orNull(when((value) => typeof value === 'number' && value >= 0 && value <= 1)),
      assumptions: texts(bounds.epistemicItemsMax, epistemicText),
      unknowns: texts(bounds.epistemicItemsMax, epistemicText),
    }),
  ),
  metadata: mapOf(
    bounds.metadataMax,
    (key) => metadataKeyPattern.test(key),
    (value) => typeof value === 'string' && value.length <= bounds.metadataValueLengthMax,
  ),
  issuedAt: integer(0, bounds.timeMsMax),
  expiresAt: integer(0, bounds.timeMsMax),
  nonce: text(isNonce),
  mandate: orNull(text(isMandate)),
  principals: both(when(isPrincipalList), when(isPrincipalSet)),
  goalHash: orNull(text(isDigest)),
  payload: anything,
});

/**
 * Reads the body of an envelope that the strict JSON parser has accepted. Every member must be
 * present, none may be unknown, all are bounded. The type is looked at first: a value without one
 * (also a bare string) is `MESSAGE_TYPE_MISSING`, with a wrong one `MESSAGE_TYPE_UNKNOWN`, and the
 * bus drops the connection on both. Never throws.
 */
export function parseEnvelopeBody(value: JsonValue): EnvelopeParseResult {
  if (!isJsonObject(value) || !Object.hasOwn(value, 'type')) {
    return { ok: false, code: 'MESSAGE_TYPE_MISSING', path: '/type' };
  }
  if (!messageTypes.some((type) => type === value['type'])) {
    return { ok: false, code: 'MESSAGE_TYPE_UNKNOWN', path: '/type' };
  }
  if (typeof value['v'] === 'number' && value['v'] !== 1) {
    return { ok: false, code: 'MESSAGE_VERSION_UNKNOWN', path: '/v' };
  }
  const fault = bodyCheck(value);
  if (fault !== null) return { ok: false, code: fault.code, path: fault.path };
  const body = asBody(value);
  if (!(body.expiresAt > body.issuedAt)) {
    return { ok: false, code: 'MESSAGE_LIFETIME_INVALID', path: '/expiresAt' };
  }
  return { ok: true, body };
}

/** Reads a label that was stored or sent; null when it is not one. */
export function parseLabel(value: JsonValue): Label | null {
  return labelCheck(value) === null ? asLabel(value) : null;
}

/** True for an RFC 6901 pointer of at most `pointerLengthMax` characters. */
export function isPointer(pointer: string): boolean {
  return pointer.length <= bounds.pointerLengthMax && pointerPattern.test(pointer);
}

/** True for the name of a declared source: `prompt` or `tool.operation.field`. */
export function isSource(source: string): boolean {
  return sourcePattern.test(source);
}

function isOrigin(origin: string): boolean {
  return originPattern.test(origin);
}

function isMandate(chain: string): boolean {
  return chain.length <= bounds.mandateLengthMax && mandatePattern.test(chain);
}

const principalCheck = exactly({ agent: text(isPrincipal), mandate: orNull(text(isMandate)) });

function isPrincipal(agent: string): boolean {
  return agent === '*' || isName(agent);
}

function isPrincipalList(principals: JsonValue): boolean {
  if (!Array.isArray(principals) || principals.length > bounds.principalsMax) return false;
  return principals.every((principal) => principalCheck(principal) === null);
}

/** Each agent once, in order; called for what is a list of principals. */
function isPrincipalSet(principals: JsonValue): boolean {
  const listed = principals as unknown as EnvelopeBody['principals'];
  return isAscending(listed.map(({ agent }) => agent));
}

/** `*` stands for more origins than a label can hold, so it stands alone. */
function isOriginSet(origins: JsonValue): boolean {
  if (!Array.isArray(origins) || !isAscending(origins)) return false;
  return origins.length <= 1 || !origins.includes('*');
}

function isSourceSet(sources: JsonValue): boolean {
  if (!Array.isArray(sources) || sources.length === 0) return false;
  if (sources.length > bounds.sourcesPerPointerMax || !isAscending(sources)) return false;
  return sources.every((source) => typeof source === 'string' && isSource(source));
}

/** The one place where a checked value takes its type. */
function asBody(value: JsonValue): EnvelopeBody {
  return value as unknown as EnvelopeBody;
}

function asLabel(value: JsonValue): Label {
  return value as unknown as Label;
}
