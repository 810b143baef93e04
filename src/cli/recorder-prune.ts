// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { systemClock } from '../adapters/clock-system.ts';
import type { RiskClass } from '../mesh/mesh.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonValue } from '../message/json.ts';
import { nodeDirectories } from '../process/directories.ts';
import { applyPruning, duePruning } from '../process/prune.ts';
import type { Due } from '../process/prune.ts';
import { entriesIn, planDigest, planJson, rangesPerEntry } from '../recorder/prune-plan.ts';
import type { CommandIo } from './check.ts';
import { sayRefused } from './control.ts';
import { checkpointOver } from './recorder-open.ts';
import { giveOrder, recorderFacts, type OrderOptions } from './recorder-orders.ts';
import { stateDirectoryOf } from './state.ts';

export type PruneOptions = OrderOptions & { readonly dryRun: boolean };

/**
 * `maso recorder prune`: takes out of the log what is older than the mesh file keeps it. What goes is
 * signed by an operator, recorded and under a signed checkpoint before the first byte of it is gone.
 */
export async function recorderPrune(options: PruneOptions, io: CommandIo): Promise<number> {
  const stateDirectory = stateDirectoryOf(options.state, null);
  const { log } = nodeDirectories(stateDirectory);
  const facts = await recorderFacts(stateDirectory);
  const retentionDays = daysIn(facts['retentionDays']);
  const at = systemClock().nowMs();
  const due = await duePruning(log, retentionDays, at);
  const entries = entriesIn(due.ranges);
  if (options.dryRun || entries === 0) {
    say(due, { pruned: 0, entries }, options.json, io);
    return 0;
  }
  const plan = { retentionDays, at, ranges: due.ranges };
  const given = await giveOrder(options, {
    act: 'prune', subject: 'log', digest: planDigest(plan), attached: planJson(plan),
  });
  if (!given.ok) return sayRefused(given.code, options.json, io);
  // The last of the entries that one order makes.
  const lastPart = given.sequence + Math.ceil(due.ranges.length / rangesPerEntry);
  await checkpointOver(lastPart - 1, join(log, 'checkpoint'));
  const pruned = await applyPruning(log, due.ranges);
  say(due, { pruned, entries }, options.json, io);
  return 0;
}

function say(
  { entries: byRisk, held }: Due,
  counts: { readonly pruned: number; readonly entries: number },
  asJson: boolean,
  io: CommandIo,
): void {
  if (asJson) {
    io.out(JSON.stringify({ ...counts, due: byRisk, held }));
    return;
  }
  const { pruned, entries } = counts;
  for (const [risk, count] of Object.entries(byRisk)) io.out(`${risk.padEnd(10)}${count} due`);
  if (held > 0) io.out(`held      ${held} that would be due`);
  io.out(pruned === 0 ? `nothing is pruned; ${entries} would be` : `${pruned} entries pruned`);
}

function daysIn(value: JsonValue | undefined): { readonly [risk in RiskClass]: number } {
  const days = isJsonObject(value) ? value : {};
  const of = (risk: RiskClass): number => {
    const count = days[risk];
    if (typeof count === 'number' && count >= 1) return count;
    throw new Error('The node does not say how long entries are kept.');
  };
  return { LOW: of('LOW'), MEDIUM: of('MEDIUM'), HIGH: of('HIGH'), CRITICAL: of('CRITICAL') };
}
