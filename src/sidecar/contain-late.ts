// SPDX-License-Identifier: Apache-2.0
import type { JudgeQuestion, Ruling } from '../judge/judge.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { SidecarContext } from './context.ts';

/**
 * A judge said NO-GO to what had gone on already (DESIGN 6.1). What still waits here is not handed
 * over any more; what was done is put on record as a sign, with the message that leads to it, so that
 * `maso recorder reach` lists everything that followed. The node ends the task when it records the
 * ruling. Resolves with the incarnation that read the message, or null.
 */
export async function containLate(
  question: JudgeQuestion,
  { verdict }: Ruling,
  context: SidecarContext,
): Promise<string | null> {
  const { store, agent, clock } = context;
  const waiting = store.message(question.id);
  const isWithdrawn = waiting?.state === 'pending';
  if (isWithdrawn) await store.setState(question.id, 'refused');
  const entry: EntryDraft = {
    kind: 'indicator.raised',
    id: `${question.id}.refused-late`,
    at: clock.nowMs(),
    actor: `sidecar:${agent.name}`,
    task: question.task,
    message: question.id,
    causedBy: [question.id],
    outcome: null,
    code: 'JUDGE_REFUSED_LATE',
    verdicts: [],
    tookUs: null,
    detail: {
      agent: question.from,
      ruled: verdict.findings[0]?.code ?? 'JUDGE_REFUSED',
      withdrawn: isWithdrawn,
    },
  };
  await context.recorder.record([entry]);
  return question.kind === 'message' ? (waiting?.incarnation ?? null) : null;
}
