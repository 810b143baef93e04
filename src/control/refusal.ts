// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '../message/clock.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';

export type RefusalContext = {
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly mintId: () => string;
};

export type Refusal = { readonly ok: false; readonly code: string };

/**
 * Refuses what somebody asked of the control plane. Recorded among the refusals, which have a quota:
 * whoever guesses cannot fill the log. Never rejects.
 */
export async function refuse(
  code: string,
  detail: EntryDraft['detail'],
  { recorder, clock, mintId }: RefusalContext,
): Promise<Refusal> {
  const refused: EntryDraft = {
    kind: 'identity.refused',
    id: mintId(),
    at: clock.nowMs(),
    actor: 'node',
    task: null,
    message: null,
    causedBy: [],
    outcome: 'NO-GO',
    code,
    verdicts: [],
    tookUs: null,
    detail,
  };
  try {
    await recorder.record([refused]);
  } catch {
    // The refusal stands without its record; the recorder has said that it is unavailable.
    return { ok: false, code };
  }
  return { ok: false, code };
}
