// SPDX-License-Identifier: Apache-2.0
import { compileJsonSchema, type SchemaCheck } from '../mesh/json-schema.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { JsonValue } from '../message/json.ts';
import type { MandateCode } from './codes.ts';
import { mandateBounds } from './mandate.ts';
import type { Constraint, FieldReference, MandateFormat } from './mandate.ts';

/**
 * The value of a field of a message in the causal context whose label is `trusted`; undefined when
 * there is none. It is the caller's to vouch for the label.
 */
export type TrustedField = (reference: FieldReference) => JsonValue | undefined;

/** Why a value breaks its constraint, or null when it satisfies it. */
export function constraintRefusal(
  constraint: Constraint,
  value: JsonValue | undefined,
  trustedField: TrustedField,
): MandateCode | null {
  if (value === undefined) {
    return constraint.absent === true ? null : 'MANDATE_PARAMETER_MISSING';
  }
  if (constraint.each !== true) return itemRefusal(constraint, value, trustedField);
  if (!isList(value) || value.length === 0) return 'MANDATE_VALUE_FORM';
  for (const item of value) {
    const code = itemRefusal(constraint, item, trustedField);
    if (code !== null) return code;
  }
  return null;
}

function itemRefusal(
  constraint: Constraint,
  value: JsonValue,
  trustedField: TrustedField,
): MandateCode | null {
  const { oneOf, min, max, atMost, formats, equalTo } = constraint;
  if (isList(value)) return 'MANDATE_VALUE_FORM';
  if (oneOf !== undefined && !oneOf.some((listed) => listed === value)) {
    return 'MANDATE_VALUE_UNLISTED';
  }
  const within = isWithin(value, min, max) &&
    (atMost === undefined || isWithin(value, 0, atMost));
  if (!within) return 'MANDATE_VALUE_OUT_OF_RANGE';
  if (formats?.some((format) => !isOfFormat(value, format)) === true) return 'MANDATE_VALUE_FORMAT';
  for (const reference of equalTo ?? []) {
    const field = trustedField(reference);
    if (field === undefined) return 'MANDATE_REFERENCE_UNRESOLVED';
    if (canonicalize(field) !== canonicalize(value)) return 'MANDATE_VALUE_NOT_EQUAL';
  }
  return null;
}

/** Written so that NaN, and any text against a bound, is outside. */
function isWithin(value: JsonValue, min: number | undefined, max: number | undefined): boolean {
  if (min === undefined && max === undefined) return true;
  return typeof value === 'number' && value >= (min ?? -Infinity) && value <= (max ?? Infinity);
}

const compiled = new Map<MandateFormat, SchemaCheck | null>();

function isOfFormat(value: JsonValue, format: MandateFormat): boolean {
  let check = compiled.get(format);
  if (check === undefined) {
    const result = compileJsonSchema({ type: 'string', format });
    check = result.ok ? result.check : null;
    compiled.set(format, check);
  }
  const bounded = typeof value === 'string' && value.length <= mandateBounds.textLengthMax;
  return bounded && check !== null && check(value) === null;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
