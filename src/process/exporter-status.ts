// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { nodeDirectories } from './directories.ts';

const amount = z.number().min(0);
const shape = z.object({
  /** Milliseconds since 1970. */
  at: amount,
  pid: amount,
  nodeUp: z.boolean(),
  exporters: z.array(
    z.object({
      name: z.string(),
      kind: z.string(),
      place: z.string(),
      /** True while it lags, or while its code says that it does not get on at all. */
      alarm: z.boolean(),
      next: amount,
      behind: amount,
      lagMs: amount,
      delivered: amount,
      rejected: amount,
      failures: amount,
      code: z.string().nullable(),
    }),
  ),
});

/** What the exporters of a state directory say about themselves, once a second. */
export type ExportersStatus = z.infer<typeof shape>;
export type ExporterReport = ExportersStatus['exporters'][number];

export const statusFile = 'status.json';
/** An older status is of exporters that no longer run. */
const freshMs = 10_000;

/** The newest status; null when there is none, or when it is old. */
export async function readExportersStatus(
  stateDirectory: string,
  nowMs: number,
): Promise<ExportersStatus | null> {
  try {
    const file = join(nodeDirectories(stateDirectory).exporters, statusFile);
    const parsed = shape.safeParse(JSON.parse(await readFile(file, 'utf8')));
    return parsed.success && nowMs - parsed.data.at <= freshMs ? parsed.data : null;
  } catch {
    // Absent or unreadable is the same for whoever asks: nobody says anything.
    return null;
  }
}
