// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { Loading } from './loading.ts';
import { parseShape } from './zod-diagnostics.ts';

/** The section `epistemic` of a mesh file. */
export const epistemicShape = z.strictObject({
  family_share_max: z.number().gt(0).max(1).optional(),
  shared_errors_max: z.number().min(0).max(1).default(0.5),
  errors_min: z.int().min(2).max(1000).default(5),
});

/** What is made of models that err alike (EP-02). */
export type EpistemicSettings = {
  /** Largest share of one family among the models that lead to a decision; null: it is warned of. */
  readonly familyShareMax: number | null;
  /** Of the cases that one of two judges got wrong, the share that both may get wrong alike. */
  readonly sharedErrorsMax: number;
  /** So many cases before anything is said. */
  readonly errorsMin: number;
};

export function resolveEpistemic(loading: Loading, raw: unknown): EpistemicSettings {
  const result = parseShape(epistemicShape, loading.source, ['security_mesh', 'epistemic'], raw ?? {});
  const given = result.ok ? result.value : epistemicShape.parse({});
  if (!result.ok) loading.diagnostics.push(...result.diagnostics);
  const { family_share_max: share, shared_errors_max: sharedErrorsMax, errors_min: errorsMin } = given;
  return { familyShareMax: share ?? null, sharedErrorsMax, errorsMin };
}

export const defaultEpistemic: EpistemicSettings = { familyShareMax: null, sharedErrorsMax: 0.5, errorsMin: 5 };
