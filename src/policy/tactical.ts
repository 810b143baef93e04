// SPDX-License-Identifier: Apache-2.0
import type { Epistemic, MessageType } from '../message/envelope.ts';
import { isJsonObject, type JsonValue } from '../message/json.ts';
import type { OISpec, OutputConstraints } from '../mesh/oispec.ts';
import { finding, type Finding } from '../review/verdict.ts';
import type { PolicyCode } from './codes.ts';

/** What an agent is about to say, and what its sidecar knows about it. */
export type Saying = {
  readonly type: MessageType;
  readonly payload: JsonValue;
  readonly epistemic: Epistemic | null;
  /** Where everything that its process has read came from. */
  readonly origins: readonly string[];
};

const depthMax = 64;
const prepared = new WeakMap<OutputConstraints, readonly string[]>();

/**
 * Tactical evaluation of a message against its sender's OISpec (OI-2.1), without a model: required
 * members, prohibited content, confidence that rests on nothing. Instructions and requests are held to
 * what policy says of actions. Linear in the payload; phrases are matched as text, not as patterns.
 */
export function sayingFindings(oispec: OISpec | null, saying: Saying): readonly Finding[] {
  const output = oispec?.output ?? null;
  if (oispec === null || output === null || saying.type === 'instruction') return [];
  const found: Finding[] = [];
  const refuse = (code: PolicyCode, path: string | null): void => {
    found.push(finding(code, `oispec/${oispec.id}@${oispec.version}`, path));
  };
  for (const field of output.requiredFields) {
    if (!hasField(saying.payload, field)) refuse('POLICY_OUTPUT_FIELD_MISSING', null);
  }
  if (output.prohibitedContent.length > 0 && holdsAny(saying.payload, phrasesOf(output), 0)) {
    refuse('POLICY_OUTPUT_PROHIBITED', null);
  }
  const confidence = saying.epistemic?.confidence ?? null;
  const rests = saying.origins.some((origin) => !origin.startsWith('agent:'));
  if (confidence !== null && !rests && !(confidence <= output.confidenceWithoutSourceMax)) {
    refuse('POLICY_CONFIDENCE_UNSOURCED', '/epistemic/confidence');
  }
  return found;
}

function hasField(payload: JsonValue, field: string): boolean {
  let at: JsonValue = payload;
  for (const member of field.split('.')) {
    if (!isJsonObject(at) || !Object.hasOwn(at, member)) return false;
    at = at[member] ?? null;
  }
  return at !== null && at !== '';
}

function phrasesOf(output: OutputConstraints): readonly string[] {
  const known = prepared.get(output);
  if (known !== undefined) return known;
  const phrases = output.prohibitedContent.map(folded).filter((phrase) => phrase !== '');
  prepared.set(output, phrases);
  return phrases;
}

function holdsAny(value: JsonValue, phrases: readonly string[], depth: number): boolean {
  if (typeof value === 'string') {
    const text = folded(value);
    return phrases.some((phrase) => text.includes(phrase));
  }
  if (typeof value !== 'object' || value === null) return false;
  // Deeper than any message may be: nothing that was not looked at is let through.
  if (depth > depthMax) return true;
  const members: readonly JsonValue[] = Array.isArray(value) ? value : Object.values(value);
  if (members.some((member) => holdsAny(member, phrases, depth + 1))) return true;
  return !Array.isArray(value) && Object.keys(value).some((name) => holdsAny(name, phrases, 0));
}

const plain = /^[\x20-\x7e]*$/;

function folded(text: string): string {
  const form = plain.test(text) ? text : text.normalize('NFKC').replaceAll(/[\p{Cf}\p{Mn}]/gu, '');
  return form.toLowerCase().replaceAll(/\s+/g, ' ');
}
