// SPDX-License-Identifier: Apache-2.0
import type { EntryDraft } from '../recorder/entry.ts';
import type { JudgeCall, JudgeQuestion, Ruling } from './judge.ts';

/** Who asked, and when; `nonce` keeps what one question costs apart from its repetition after a crash. */
export type Asker = { readonly actor: string; readonly nowMs: number; readonly nonce: string };

/** `held`: the request waited for it; `late`: it had gone on; `phase`: of a workflow as a whole. */
export type RulingMode = 'held' | 'late' | 'phase';

/** What models were asked for one ruling: numbers, codes and declared names. */
export function calledEntries(
  question: JudgeQuestion,
  { calls }: Ruling,
  asker: Asker,
): readonly EntryDraft[] {
  const base = entryOf(question, asker);
  return calls.map((call, index): EntryDraft => ({
    ...base,
    kind: 'judge.called',
    id: `${question.id}.judge.${asker.nonce}.${index}`,
    outcome: call.outcome,
    code: call.code,
    tookUs: call.tookUs,
    detail: callDetail(call),
  }));
}

/** What was asked and what was said. */
export function ruledEntries(
  question: JudgeQuestion,
  ruling: Ruling,
  mode: RulingMode,
  asker: Asker,
): readonly EntryDraft[] {
  const { verdict, subjects } = ruling;
  const base = entryOf(question, asker);
  const called = calledEntries(question, ruling, asker);
  const { phase } = question;
  return [...called, {
    ...base,
    kind: 'judge.ruled',
    id: `${question.id}.judge.${asker.nonce}.ruled`,
    causedBy: [...base.causedBy, ...called.map(({ id }) => id)],
    outcome: verdict.outcome,
    code: verdict.outcome === 'GO' ? null : verdict.findings[0]?.code ?? null,
    // Of a held request the verdict stands in its review.
    verdicts: mode === 'held' ? [] : [verdict],
    tookUs: verdict.tookUs,
    detail: {
      ...(phase === undefined
        ? { [question.kind === 'action' ? 'action' : 'schema']: question.about, from: question.from }
        : { workflow: phase.workflow, phase: phase.id }),
      risk: question.risk,
      mode,
      subjects: Object.fromEntries(subjects.map(({ subject, outcome }) => [subject, outcome])),
      conflict: new Set(subjects.map(({ outcome }) => outcome)).size > 1,
    },
  }];
}

function callDetail(call: JudgeCall): EntryDraft['detail'] {
  const { subject, model, part, inputTokens, outputTokens, micros } = call;
  return { subject, model, part, inputTokens, outputTokens, micros };
}

/** Of a phase the message that ended it; its question has a name of its own. */
function entryOf({ id, task, phase }: JudgeQuestion, { actor, nowMs }: Asker) {
  const message = phase?.message ?? id;
  return { at: nowMs, actor, task, message, causedBy: [message], verdicts: [], tookUs: null };
}
