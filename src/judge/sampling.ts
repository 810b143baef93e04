// SPDX-License-Identifier: Apache-2.0

/** What a sidecar remembers of whoever sends to its agent, as far as its escalations are judged afterwards. */
export type SenderStanding = {
  /** Actions of it that were escalated; counted up to `sampling.first`. */
  readonly seen: number;
  /** Until when the judges' doubt of its work counts, milliseconds since 1970; 0 where none does. */
  readonly doubtedUntil: number;
  /** The model that it thought with when it was last looked at; null where nobody says. */
  readonly model: string | null;
  /** Until when it counts as having changed its model. */
  readonly changedUntil: number;
};

export const newSender: SenderStanding = { seen: 0, doubtedUntil: 0, model: null, changedUntil: 0 };

const dayMs = 86_400_000;

/**
 * Its first actions, and all that it does after another model thinks for it, say most of it (facts c). Messages are many, and
 * to judge the first of them all would spend what holds need: `first` is null for one.
 */
export function senderNow(
  known: SenderStanding | null,
  model: string | null,
  first: number | null,
  nowMs: number,
): SenderStanding {
  const before = known ?? { ...newSender, model };
  const changedUntil = before.model === model ? before.changedUntil : nowMs + 2 * dayMs;
  const seen = first === null ? before.seen : Math.min(before.seen + 1, first + 1);
  return { ...before, seen, model, changedUntil };
}

export function doubted(sender: SenderStanding, nowMs: number): SenderStanding {
  return { ...sender, doubtedUntil: nowMs + dayMs };
}

/**
 * Share of a sender's escalations that is judged afterwards, 0 to 1. A share of 0 stays 0: nobody is asked who was
 * switched off, but about one that was found wrong, `suspectUntil`. Twice the share for a day after a doubt.
 */
export function sampleRate(
  share: number,
  sender: SenderStanding,
  { suspectUntil, first, nowMs }: { readonly suspectUntil: number; readonly first: number | null; readonly nowMs: number },
): number {
  if (nowMs < suspectUntil) return 1;
  if (!(share > 0)) return 0;
  const isFirst = first !== null && first > 0 && sender.seen <= first;
  if (isFirst || nowMs < sender.changedUntil) return 1;
  return nowMs < sender.doubtedUntil ? Math.min(1, share * 2) : share;
}
