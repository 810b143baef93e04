// SPDX-License-Identifier: Apache-2.0
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { listSegments, openRecordLogReader, readLines } from '../adapters/record-log-segments.ts';
import type { RiskClass } from '../mesh/mesh.ts';
import { RecorderError } from '../recorder/entry.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import { parseEntryLine } from '../recorder/entry-line.ts';
import type { PositionRange } from '../recorder/prune-plan.ts';
import { leafOfLine, prunedHash, prunedLine } from '../recorder/pruned-line.ts';

const dayMs = 86_400_000;
const riskOrder: readonly RiskClass[] = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'];
/** What proves that the rest was taken out rightly, and who opened or erased what, is never pruned. */
const kept = /^(record|payload)\.(?!kept)/;
/** Lines of one file that are gathered before they are written. */
const bytesAtOnce = 1024 * 1024;

export type Due = {
  readonly ranges: readonly PositionRange[];
  readonly entries: { readonly [risk in RiskClass]: number };
  /** Entries old enough that somebody holds. */
  readonly held: number;
};

type Holds = {
  readonly all: boolean;
  readonly tasks: ReadonlySet<string>;
  readonly agents: ReadonlySet<string>;
};

/**
 * What of a log is older than its risk class is kept: the highest class of anything in its task, so
 * that an action keeps what led to it. What belongs to no task says how the mesh stood, and counts as
 * CRITICAL. Files that are still written are left alone, and so is what an operator holds.
 */
export async function duePruning(
  directory: string,
  retentionDays: { readonly [risk in RiskClass]: number },
  nowMs: number,
): Promise<Due> {
  const reader = await openRecordLogReader(directory);
  const end = await reader.lastSegmentFirst();
  const { risks, holds } = await surveyOf(directory);
  const ranges: [number, number][] = [];
  const entries = { LOW: 0, MEDIUM: 0, HIGH: 0, CRITICAL: 0 };
  let held = 0;
  for await (const entry of entriesUpTo(directory, end)) {
    const risk = entry.task === null ? 'CRITICAL' : (risks.get(entry.task) ?? 'LOW');
    const isDue = entry.recordedAt < nowMs - retentionDays[risk] * dayMs && !kept.test(entry.kind);
    if (!isDue) continue;
    if (isHeld(entry, holds)) {
      held += 1;
      continue;
    }
    entries[risk] += 1;
    const last = ranges.at(-1);
    if (last?.[1] === entry.sequence) last[1] += 1;
    else ranges.push([entry.sequence, entry.sequence + 1]);
  }
  return { ranges, entries, held };
}

/** The class of each task that is above LOW, and what is held now. */
async function surveyOf(directory: string) {
  const risks = new Map<string, RiskClass>();
  const tasks = new Map<string, string>();
  const agents = new Map<string, string>();
  const all = new Set<string>();
  const held = new Map<string, string>();
  for await (const { kind, task, detail } of entriesUpTo(directory, Number.MAX_SAFE_INTEGER)) {
    const risk = riskOrder.find((one) => one === detail['risk']);
    if (task !== null && risk !== undefined && risk !== 'LOW') {
      const before = risks.get(task) ?? 'LOW';
      if (riskOrder.indexOf(risk) > riskOrder.indexOf(before)) risks.set(task, risk);
    }
    const subject = String(detail['subject']);
    if (kind === 'record.held') held.set(String(detail['order']), subject);
    if (kind === 'record.released') held.delete(subject);
  }
  for (const [order, subject] of held) {
    if (subject === 'all') all.add(order);
    else if (subject.startsWith('agent:')) agents.set(subject.slice('agent:'.length), order);
    else tasks.set(subject, order);
  }
  const holds: Holds = {
    all: all.size > 0,
    tasks: new Set(tasks.keys()),
    agents: new Set(agents.keys()),
  };
  return { risks, holds: await withTasksOf(holds, directory) };
}

/** Who holds an agent holds every task that it took part in. */
async function withTasksOf(holds: Holds, directory: string): Promise<Holds> {
  if (holds.agents.size === 0) return holds;
  const tasks = new Set(holds.tasks);
  for await (const entry of entriesUpTo(directory, Number.MAX_SAFE_INTEGER)) {
    if (entry.task !== null && names(entry, holds.agents)) tasks.add(entry.task);
  }
  return { ...holds, tasks };
}

function isHeld(entry: RecordedEntry, holds: Holds): boolean {
  if (holds.all || (entry.task !== null && holds.tasks.has(entry.task))) return true;
  return names(entry, holds.agents);
}

function names({ actor, detail }: RecordedEntry, agents: ReadonlySet<string>): boolean {
  if (agents.size === 0) return false;
  if (agents.has(actor.slice(actor.indexOf(':') + 1))) return true;
  return ['from', 'to', 'agent', 'requester', 'sender'].some((name) => {
    const named = detail[name];
    return typeof named === 'string' && agents.has(named);
  });
}

async function* entriesUpTo(directory: string, end: number): AsyncGenerator<RecordedEntry> {
  const reader = await openRecordLogReader(directory);
  for await (const line of reader.read(0, end)) {
    if (prunedHash(line) !== null) continue;
    const entry = parseEntryLine(line);
    if (entry === null) throw new RecorderError('RECORDER_LOG_BROKEN', 'A line is no entry.');
    yield entry;
  }
}

/**
 * Writes each file of the log anew in which something is to go, with the hash in the place of each
 * entry. Every file is replaced as a whole and only after its copy is durable and every hash in it was
 * compared, so a crash leaves some files pruned and others not; the same ranges may be applied again.
 */
export async function applyPruning(
  directory: string,
  ranges: readonly PositionRange[],
): Promise<number> {
  const segments = (await listSegments(directory)).slice(0, -1);
  let pruned = 0;
  let at = 0;
  for (const [index, { first, path }] of segments.entries()) {
    const end = segments[index + 1]?.first ?? Number.MAX_SAFE_INTEGER;
    while ((ranges[at]?.[1] ?? Number.MAX_SAFE_INTEGER) <= first) at += 1;
    const within = ranges.slice(at).filter(([from]) => from < end);
    if (within.length > 0) pruned += await rewrite(path, first, within);
  }
  return pruned;
}

async function rewrite(
  path: string,
  first: number,
  ranges: readonly PositionRange[],
): Promise<number> {
  const copy = `${path}.pruned`;
  const file = await open(copy, 'w', 0o600);
  let pruned = 0;
  try {
    let position = first;
    let at = 0;
    let parts: Uint8Array[] = [];
    let length = 0;
    for await (const line of readLines(path)) {
      while (position >= (ranges[at]?.[1] ?? Number.MAX_SAFE_INTEGER)) at += 1;
      const goes = position >= (ranges[at]?.[0] ?? Number.MAX_SAFE_INTEGER);
      if (goes && prunedHash(line) === null) pruned += 1;
      const written = goes ? Buffer.from(prunedLine(line)) : line;
      parts.push(written, lineFeed);
      length += written.length + 1;
      position += 1;
      if (length < bytesAtOnce) continue;
      await file.writeFile(Buffer.concat(parts));
      parts = [];
      length = 0;
    }
    await file.writeFile(Buffer.concat(parts));
    await file.sync();
  } finally {
    await file.close();
  }
  if (!(await sameLeaves(path, copy))) {
    await rm(copy, { force: true });
    throw new RecorderError('RECORDER_LOG_BROKEN', 'A file of the log changed while it was pruned.');
  }
  await rename(copy, path);
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
  return pruned;
}

const lineFeed = Buffer.from('\n');

async function sameLeaves(one: string, other: string): Promise<boolean> {
  const copies = readLines(other);
  for await (const line of readLines(one)) {
    const next = await copies.next();
    if (next.done === true) return false;
    if (!Buffer.from(leafOfLine(line)).equals(leafOfLine(next.value))) return false;
  }
  return (await copies.next()).done === true;
}
