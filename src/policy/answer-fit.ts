// SPDX-License-Identifier: Apache-2.0
import type { ExpectedAnswer } from '../mesh/expected-answer.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { JsonValue } from '../message/json.ts';
import { valueAt } from '../message/json-pointer.ts';
import { finding, type Finding } from '../review/verdict.ts';
import type { PolicyCode } from './codes.ts';

/** A list longer than this is not held against another: it is not answered whole. */
const itemsMax = 1_000;

/**
 * Whether an answer is one to what was asked (EP-07), without a model: the entities that the
 * instruction names are those that the answer is about, and every item that it asks for is there.
 * What the instruction leaves out asks for nothing. Linear in both payloads.
 */
export function answerFindings(
  { schemas, same, every }: ExpectedAnswer,
  asked: JsonValue,
  answer: { readonly schema: string; readonly payload: JsonValue },
): readonly Finding[] {
  const refuse = (code: PolicyCode, path: string | null): Finding => finding(code, 'answer', path);
  if (!schemas.includes(answer.schema)) return [refuse('POLICY_ANSWER_KIND', null)];
  const found: Finding[] = [];
  for (const [from, to] of same) {
    const wanted = valueAt(asked, from);
    if (wanted !== undefined && !isSame(wanted, valueAt(answer.payload, to))) found.push(refuse('POLICY_ANSWER_OTHER', to));
  }
  for (const [from, to] of every) {
    const wanted = valueAt(asked, from);
    if (wanted !== undefined && !hasEvery(wanted, valueAt(answer.payload, to))) {
      found.push(refuse('POLICY_ANSWER_PARTIAL', to));
    }
  }
  return found;
}

function isSame(a: JsonValue, b: JsonValue | undefined): boolean {
  return b !== undefined && canonicalize(a) === canonicalize(b);
}

/** Something that is no list asks for, or answers, itself alone. */
function hasEvery(wanted: JsonValue, given: JsonValue | undefined): boolean {
  if (given === undefined) return false;
  const [asked, answered] = [wanted, given].map((value) => (Array.isArray(value) ? (value as readonly JsonValue[]) : [value]));
  if (asked === undefined || answered === undefined) return false;
  if (asked.length > itemsMax || answered.length > itemsMax) return false;
  const there = new Set(answered.map((item) => canonicalize(item)));
  return asked.every((item) => there.has(canonicalize(item)));
}
