// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { JudgeCriterion } from '../mesh/judge-settings.ts';
import { parseStrictJson } from '../message/strict-json.ts';
import type { Outcome } from '../review/verdict.ts';
import type { Fence } from './fence.ts';
import { noCriterion } from './prompt.ts';

export type ParsedAnswer = {
  readonly outcome: Outcome;
  /** Id of a declared criterion, or null. */
  readonly criterion: string | null;
};

const limits = { bytesMax: 16_384, depthMax: 4, membersMax: 16, keyLengthMax: 32 };
const shape = z.strictObject({
  reason: z.string().max(4096),
  verdict: z.enum(['GO', 'NO-GO', 'ESCALATE']),
  criterion: z.string().max(64),
  echo: z.string().max(64),
});

/**
 * The answer of a model, or null for anything that is not exactly what was asked for: other members,
 * doubled ones, text around the object, a criterion that nobody declared, the nonce of another
 * question. The reason is read by nobody and kept nowhere: it may repeat what was judged (G9).
 */
export function parseAnswer(
  text: string,
  criteria: readonly JudgeCriterion[],
  fence: Fence,
): ParsedAnswer | null {
  const parsed = parseStrictJson(text.trim(), limits);
  if (!parsed.ok) return null;
  const answer = shape.safeParse(parsed.value);
  if (!answer.success || answer.data.echo !== fence.nonce) return null;
  const { verdict, criterion } = answer.data;
  if (criterion === noCriterion) return { outcome: verdict, criterion: null };
  return criteria.some(({ id }) => id === criterion) ? { outcome: verdict, criterion } : null;
}
