// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { masoJson } from './mesh-process.ts';
import { within } from './record.ts';
import type { Story } from './story.ts';

const listed = z.object({
  approvals: z.array(z.object({ id: z.string(), hold: z.object({ task: z.string() }) })),
});

/** A person at a terminal: `maso approvals list`, then `maso approvals approve`. */
export async function approveHeld(story: Story, task: string): Promise<void> {
  const isHeld = await story.record.waitFor(
    (entry) => entry.kind === 'approval.held' && entry.task === task,
    20_000,
  );
  if (isHeld === null) return;
  const state = ['--state', story.state];
  const held = await within(5_000, async () => {
    const { approvals } = listed.parse(await masoJson(['approvals', 'list', ...state]));
    return approvals.find(({ hold }) => hold.task === task) ?? null;
  });
  if (held === null) return;
  const reason = ['--reason', 'ordered by telephone'];
  await masoJson(['approvals', 'approve', held.id, ...reason, ...state]);
}
