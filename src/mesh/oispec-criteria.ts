// SPDX-License-Identifier: Apache-2.0
import type { Criterion } from './oispec.ts';

type Written = string | { readonly id: string; readonly text: string };

/** Criteria as a specification lists them; one without an id is called after its place. */
export function criteriaIn(
  success: readonly Written[],
  failure: readonly Written[],
): readonly Criterion[] {
  const named = (kind: Criterion['kind']) => (one: Written, index: number): Criterion =>
    typeof one === 'string'
      ? { id: `${kind}-${index + 1}`, text: one, kind }
      : { id: one.id, text: one.text, kind };
  return [...success.map(named('success')), ...failure.map(named('failure'))];
}

/** Ids that stand on more than one part of a specification. */
export function doubledIds(criteria: readonly { readonly id: string }[]): readonly string[] {
  const ids = criteria.map(({ id }) => id);
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
}
