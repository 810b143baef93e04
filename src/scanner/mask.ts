// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { DataPolicy } from '../mesh/scanner-settings.ts';
import type { Classification } from '../message/envelope.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonValue } from '../message/json.ts';
import { readText } from '../text/read-text.ts';
import { actionFor, rewritesAny } from './data-policy.ts';
import { findPersonal, PersonalWork } from './personal.ts';
import type { PersonalMatch } from './personal.ts';

export type Masked = { readonly value: JsonValue; readonly count: number };

type Replacement = { readonly start: number; readonly end: number; readonly text: string };

/**
 * Replaces personal data in the strings of a value where the policy redacts or tokenises it. A token
 * is the same for the same text under the same key, so records still join; it cannot be turned back.
 * Names of members stay: a schema rests on them. The value itself when there is nothing to do.
 */
export function maskValue(
  value: JsonValue,
  classification: Classification,
  policy: DataPolicy,
  key: KeyObject,
): Masked {
  if (!rewritesAny(classification, policy)) return { value, count: 0 };
  const work = new PersonalWork();
  let count = 0;
  const masked = (item: JsonValue): JsonValue => {
    if (typeof item === 'string') {
      const replacements = replacementsIn(item, classification, policy, key, work);
      count += replacements.length;
      return rewritten(item, replacements);
    }
    if (Array.isArray(item)) return item.map(masked);
    if (!isJsonObject(item)) return item;
    return Object.fromEntries(Object.entries(item).map(([name, member]) => [name, masked(member)]));
  };
  const result = masked(value);
  return count === 0 ? { value, count } : { value: result, count };
}

function replacementsIn(
  text: string,
  classification: Classification,
  policy: DataPolicy,
  key: KeyObject,
  work: PersonalWork,
): readonly Replacement[] {
  const found: Replacement[] = [];
  for (const view of readText(text).views) {
    findPersonal(view.text, work, (match: PersonalMatch) => {
      const action = actionFor(match.class, classification, policy);
      if (action !== 'redact' && action !== 'tokenise') return;
      const span = view.spanOf(match.start, match.end);
      const what = view.text.slice(match.start, match.end);
      const written = action === 'redact' ? `[redacted ${match.class}]` : tokenFor(what, key);
      found.push({ ...span, text: written });
    });
  }
  return withoutOverlap(found);
}

/** The first to begin stays; what begins within it is gone with it. */
function withoutOverlap(found: readonly Replacement[]): readonly Replacement[] {
  const kept: Replacement[] = [];
  for (const item of found.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (item.start >= (kept.at(-1)?.end ?? 0)) kept.push(item);
  }
  return kept;
}

function rewritten(text: string, replacements: readonly Replacement[]): string {
  let written = '';
  let position = 0;
  for (const { start, end, text: replacement } of replacements) {
    written += text.slice(position, start) + replacement;
    position = end;
  }
  return written + text.slice(position);
}

function tokenFor(text: string, key: KeyObject): string {
  const normal = text.toLowerCase().replaceAll(/[\s().-]/g, '');
  return `tok_${createHmac('sha256', key).update(normal, 'utf8').digest('hex').slice(0, 20)}`;
}
