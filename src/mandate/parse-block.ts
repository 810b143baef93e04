// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../message/canonical-json.ts';
import { isAgentSpiffeId, isDigest, isName, isSchemaId, isUlid } from '../message/identifiers.ts';
import { isJsonObject, type JsonValue } from '../message/json.ts';
import {
  both,
  exactly,
  integer,
  isAscending,
  mapOf,
  oneOf,
  orNull,
  text,
  when,
  type Check,
  type Fault,
} from '../message/member-check.ts';
import { parseSpiffeId } from '../identity/spiffe-id.ts';
import { depthMax, isScalar, mandateBounds, mandateFormats, rightKey } from './mandate.ts';
import type { MandateBlock, Right } from './mandate.ts';

export type BlockParse =
  | { readonly ok: true; readonly block: MandateBlock }
  | { readonly ok: false; readonly path: string };

const timeMsMax = 8_640_000_000_000_000;
const sponsorForm = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/;
const approvalForm = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const operatorForm = /^operator:[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/;
const parameterForm = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
const pointerForm = /^(?:\/[A-Za-z0-9_.-]{1,64}){1,8}$/;

const { parametersMax, valuesMax, textLengthMax, referencesMax, ratesMax, countMax } =
  mandateBounds;

const amount = when((value) => typeof value === 'number' && Number.isFinite(value));
const positive = when((value) => typeof value === 'number' && Number.isFinite(value) && value >= 0);

const referenceCheck = exactly({
  message: text((id) => isUlid(id) || isSchemaId(id)),
  pointer: text((pointer) => pointerForm.test(pointer)),
});

const constraintChecks: { readonly [member: string]: Check } = {
  absent: oneOf([true]),
  each: oneOf([true]),
  oneOf: canonicalList(valuesMax, when(isBoundedScalar)),
  min: amount,
  max: amount,
  atMost: positive,
  formats: canonicalList(referencesMax, oneOf(mandateFormats)),
  equalTo: canonicalList(referencesMax, referenceCheck),
};

const limitsCheck = exactly({
  count: orNull(integer(1, countMax)),
  totals: mapOf(parametersMax, isParameter, (value) => positive(value) === null),
  rates: ascending(ratesMax, rateCheck(), (rate) =>
    isJsonObject(rate) ? `${padded(rate['windowMs'])} ${padded(rate['count'])}` : ''),
});

const scope = {
  action: text(isName),
  constraints: mapOf(parametersMax, isParameter, (value) => isConstraint(value)),
  limits: limitsCheck,
};
const performCheck = exactly({ ...scope, right: oneOf(['perform']) });
const requestCheck = exactly({ ...scope, right: oneOf(['request']), executor: text(isName) });
const rightCheck: Check = (value) =>
  isJsonObject(value) && value['right'] === 'perform' ? performCheck(value) : requestCheck(value);

const blockCheck = exactly({
  v: oneOf([1]),
  parent: orNull(text(isDigest)),
  issuer: text(isIssuer),
  audience: text((audience) => isName(audience) || isAgentSpiffeId(audience)),
  task: text(isUlid),
  sponsor: text((sponsor) => sponsorForm.test(sponsor)),
  rights: ascending(mandateBounds.rightsMax, rightCheck, (right) =>
    rightKey(right as unknown as Right)),
  notBefore: integer(0, timeMsMax),
  expiresAt: integer(0, timeMsMax),
  output: orNull(text(isSchemaId)),
  maxDepth: integer(1, depthMax),
  approval: orNull(text((reference) => approvalForm.test(reference))),
  oispec: orNull(text(isDigest)),
});

/**
 * Reads the payload of a block. One meaning has one form: every list is in its canonical order, so
 * two blocks grant the same when, and only when, their texts are the same. `path` is a JSON Pointer
 * without the sender's text. Whether the terms are granted at all is for the chain to say.
 */
export function parseBlock(value: JsonValue): BlockParse {
  const fault = blockCheck(value);
  if (fault !== null) return { ok: false, path: fault.path };
  const block = value as unknown as MandateBlock;
  if (!(block.notBefore < block.expiresAt)) return { ok: false, path: '/expiresAt' };
  if ((block.maxDepth === depthMax) !== (block.approval !== null)) {
    return { ok: false, path: '/approval' };
  }
  return { ok: true, block };
}

function isIssuer(issuer: string): boolean {
  return operatorForm.test(issuer) || parseSpiffeId(issuer) !== null;
}

function isParameter(name: string): boolean {
  return parameterForm.test(name) && !(name in {});
}

function isBoundedScalar(value: JsonValue): boolean {
  return isScalar(value) && (typeof value !== 'string' || value.length <= textLengthMax);
}

function isConstraint(value: JsonValue): boolean {
  if (!isJsonObject(value)) return false;
  const members = Object.entries(value);
  const known = members.every(([name, member]) =>
    Object.hasOwn(constraintChecks, name) && constraintChecks[name]?.(member) === null);
  const { min, max } = value;
  const ordered = typeof min !== 'number' || typeof max !== 'number' || min <= max;
  return members.length > 0 && known && ordered;
}

function rateCheck(): Check {
  return exactly({
    count: integer(1, countMax),
    windowMs: integer(1, mandateBounds.windowMsMax),
  });
}

/** A list of at least one item, strictly ascending by canonical text. */
function canonicalList(countMax: number, item: Check): Check {
  return both(
    when((value) => Array.isArray(value) && value.length > 0),
    ascending(countMax, item, canonicalize),
  );
}

function ascending(countMax: number, item: Check, key: (item: JsonValue) => string): Check {
  return (value) => {
    const invalid: Fault = { code: 'MESSAGE_MEMBER_INVALID', path: '' };
    if (!isList(value) || value.length > countMax) return invalid;
    for (const [index, one] of value.entries()) {
      const fault = item(one);
      if (fault !== null) return { code: fault.code, path: `/${index}${fault.path}` };
    }
    return isAscending(value.map(key)) ? null : invalid;
  };
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Makes the order of texts that of the numbers they hold. */
function padded(value: JsonValue | undefined): string {
  return String(value).padStart(16, '0');
}
