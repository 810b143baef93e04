// SPDX-License-Identifier: Apache-2.0
import { afterRuling } from '../judge/release.ts';
import type { JudgeQuestion, Ruling } from '../judge/judge.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { combine, type CombinedVerdict } from '../review/verdict.ts';
import { doubtsOf, withDoubts } from './calibrating.ts';
import type { SidecarContext } from './context.ts';
import { mustHold, type Reviewed } from './people.ts';
import type { InboxMessage } from './ports.ts';

/** A ruling, and the version of the policy that the question was put under. */
export type HeldRuling = { readonly ruling: Ruling; readonly policyVersion: number };

/**
 * Whether the judge is to be asked before this request goes anywhere: what is to be held and nobody
 * has looked at yet. Once it is before people, they decide, and nobody asks a model again.
 */
export function awaitsRuling(
  { state }: InboxMessage,
  reviewed: Reviewed,
  held: HeldRuling | null,
  { judge }: SidecarContext,
): boolean {
  return judge.configured && held === null && state !== 'held' &&
    reviewed.verdict.outcome === 'ESCALATE' && mustHold(reviewed);
}

/**
 * The review with what the judge said; it advises, and the policy decides. A judge that is declared
 * absent says so here, on every request that is to be held.
 */
export async function withRuling(
  reviewed: Reviewed,
  body: EnvelopeBody,
  held: HeldRuling | null,
  context: SidecarContext,
): Promise<Reviewed> {
  const { verdict } = reviewed;
  if (verdict.outcome !== 'ESCALATE' || !mustHold(reviewed)) return reviewed;
  const { judge, mesh } = context;
  const said = judge.configured
    ? held?.ruling ?? null
    : await judge.rule(actionQuestion(body, reviewed, context));
  if (said === null) return reviewed;
  const risk = reviewed.manifest?.risk ?? 'CRITICAL';
  const doubted = doubtsOf(context);
  const ruling = withDoubts(said, doubted);
  const release = doubted.length > 0 ? 'never' : mesh.judge?.release ?? 'never';
  return { ...reviewed, verdict: combine(afterRuling(verdict.verdicts, ruling, risk, { release })) };
}

export function actionQuestion(
  body: EnvelopeBody,
  { request, manifest, verdict }: Reviewed,
  context: SidecarContext,
): JudgeQuestion {
  return {
    ...questionOf(body, verdict, context),
    about: manifest?.name ?? 'undeclared',
    kind: 'action',
    risk: manifest?.risk ?? 'CRITICAL',
    reversibility: manifest?.reversibility ?? 'irreversible',
    content: request.parameters,
  };
}

/** About a message that no action request is in: it was delivered, and is judged after the fact. */
export function messageQuestion({ body, entries }: InboxMessage, context: SidecarContext): JudgeQuestion {
  const verdicts = entries.flatMap((entry) => entry.verdicts);
  return {
    ...questionOf(body, { verdicts }, context),
    about: body.schema,
    kind: 'message',
    risk: 'LOW',
    reversibility: null,
    content: body.payload,
  };
}

const raisedMax = 32;

function questionOf(
  body: EnvelopeBody,
  { verdicts }: Pick<CombinedVerdict, 'verdicts'>,
  { agent }: SidecarContext,
) {
  const codes = verdicts
    .filter(({ outcome }) => outcome !== 'GO')
    .flatMap(({ findings }) => findings.map(({ code }) => code));
  return {
    id: body.id,
    task: body.task,
    from: body.from,
    raisedBy: [...new Set(codes)].slice(0, raisedMax),
    integrity: body.label.integrity,
    classification: body.label.classification,
    goal: agent.oispec?.goal ?? null,
  };
}
