// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../message/json.ts';
import type { FlightRecorder } from '../recorder/recorder.ts';

/** Entries that the sums are over. */
const lookedBack = 20_000;

/**
 * What the controls cost in time and model calls, by the record, beside what a judge on every hop
 * would have: the framework's own figures are 1.2 to 3 s and $0.01 to $0.05 for each (seed 000).
 */
export async function costsView(recorder: Pick<FlightRecorder, 'size' | 'read'>): Promise<JsonObject> {
  const size = recorder.size();
  const controls = new Map<string, { verdicts: number; tookUs: number }>();
  let [hops, firstAt, lastAt] = [0, 0, 0];
  for await (const entry of recorder.read(Math.max(0, size - lookedBack), size)) {
    if (firstAt === 0) firstAt = entry.recordedAt;
    lastAt = entry.recordedAt;
    if (entry.kind === 'message.admitted') hops += 1;
    for (const { control, tookUs, findings } of entry.verdicts) {
      if (findings.some(({ code }) => code === 'JUDGE_NOT_CONFIGURED')) continue;
      const sum = controls.get(control) ?? { verdicts: 0, tookUs: 0 };
      controls.set(control, { verdicts: sum.verdicts + 1, tookUs: sum.tookUs + tookUs });
    }
  }
  const rows = [...controls].map(([control, sum]) => ({ control, ...sum }))
    .sort((a, b) => b.tookUs - a.tookUs);
  return {
    hops, firstAt, lastAt,
    entries: Math.min(size, lookedBack),
    controls: rows,
    controlsUs: rows.reduce((total, { tookUs }) => total + tookUs, 0),
    judged: controls.get('model-as-judge')?.verdicts ?? 0,
    judgeOnEveryHop: { lowMs: hops * 1_200, highMs: hops * 3_000, lowUsd: hops * 0.01, highUsd: hops * 0.05 },
  };
}
