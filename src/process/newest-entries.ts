// SPDX-License-Identifier: Apache-2.0
import type { RecordedEntry } from '../recorder/entry.ts';
import type { FlightRecorder } from '../recorder/recorder.ts';

/** Entries looked back over at most. */
const lookedBackMax = 200_000;
const step = 5_000;

/**
 * Entries before the sequence `to`, from the newest block that began before `sinceMs`, oldest first: all since
 * then, and some from before, as long as 200,000 are enough.
 */
export async function* newestEntries(
  flight: Pick<FlightRecorder, 'read'>,
  sinceMs: number,
  to: number,
): AsyncGenerator<RecordedEntry> {
  let from = to;
  while (from > 0 && to - from < lookedBackMax) {
    from = Math.max(0, from - step);
    const first = await firstOf(flight.read(from, from + 1));
    if (first !== null && first.recordedAt < sinceMs) break;
  }
  yield* flight.read(from, to);
}

async function firstOf(entries: AsyncIterable<RecordedEntry>): Promise<RecordedEntry | null> {
  for await (const entry of entries) return entry;
  return null;
}
