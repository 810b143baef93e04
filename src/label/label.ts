// SPDX-License-Identifier: Apache-2.0
import type { Classification, Integrity, Label } from '../message/envelope.ts';
import { envelopeBounds } from '../message/envelope-parse.ts';

const classificationRank: { readonly [name in Classification]: number } = {
  public: 0,
  internal: 1,
  confidential: 2,
  restricted: 3,
};

/** Higher is further from trust: joining keeps the higher one. */
const integrityRank: { readonly [name in Integrity]: number } = {
  trusted: 0,
  internal: 1,
  untrusted: 2,
};

/** More origins than a label can name: no list of allowed origins contains `*`. */
const tooManyOrigins: readonly string[] = ['*'];

/** The label of having read nothing: it is the identity of `joinLabels`. */
export const cleanLabel: Label = { classification: 'public', integrity: 'trusted', origins: [] };

/**
 * The least label at least as restrictive as each of the given ones: the higher classification, the
 * lower integrity, all origins. Commutative, associative, idempotent; no labels give `cleanLabel`.
 */
export function joinLabels(...labels: readonly Label[]): Label {
  let joined = cleanLabel;
  for (const label of labels) joined = joinTwo(joined, label);
  return joined;
}

/** True when `label` is at least as restrictive as `other` in every respect. */
export function dominates(label: Label, other: Label): boolean {
  return (
    classificationRank[label.classification] >= classificationRank[other.classification] &&
    integrityRank[label.integrity] >= integrityRank[other.integrity] &&
    (label.origins.includes('*') || other.origins.every((name) => label.origins.includes(name)))
  );
}

/**
 * True when a value so classified may be shown to a holder of this clearance. An unknown name on
 * either side is false.
 */
export function flowsTo(classification: Classification, clearance: Classification): boolean {
  return classificationRank[classification] <= classificationRank[clearance];
}

/** The label with its classification raised to the floor, never lowered. */
export function raiseTo(label: Label, floor: Classification): Label {
  return flowsTo(floor, label.classification) ? label : { ...label, classification: floor };
}

function joinTwo(a: Label, b: Label): Label {
  return {
    classification: flowsTo(a.classification, b.classification)
      ? b.classification
      : a.classification,
    integrity: integrityRank[a.integrity] > integrityRank[b.integrity] ? a.integrity : b.integrity,
    origins: joinOrigins(a.origins, b.origins),
  };
}

function joinOrigins(a: readonly string[], b: readonly string[]): readonly string[] {
  if (a.includes('*') || b.includes('*')) return tooManyOrigins;
  const origins = [...new Set([...a, ...b])].sort();
  return origins.length <= envelopeBounds.originsMax ? origins : tooManyOrigins;
}
