// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { RecordedEntry } from '../../../src/recorder/entry.ts';
import { joinMesh, type MeshAgent } from '../../../src/sdk/join-mesh.ts';
import { masoJson, startMesh, type RunningMesh } from '../../mail-to-bank/story/mesh-process.ts';
import { MeshRecord, within } from '../../mail-to-bank/story/record.ts';
import { payloadOf, type Payloads } from '../agents/reports.ts';
import { startJudges } from './stand-in.ts';
import { scenarios, type Scenario } from './scenarios.ts';

export const meshFile = join(import.meta.dirname, '../security_mesh.yaml');
/** What stands in the mesh file for the address of the judges. */
const judgesInFile = 'http://127.0.0.1:18811/v1';

export type Played = Scenario & {
  readonly task: string;
  readonly seen: Pick<Scenario, 'codes' | 'done' | 'judged'> & { readonly status: string; readonly whole: string | null };
  readonly asExpected: boolean;
};

export type PlayedStory = {
  readonly scenarios: readonly Played[];
  /** What followed from the figures of the first report, as whoever has to correct it finds it. */
  readonly reached: { readonly messages: number; readonly published: boolean };
  /** What the workflow says of each order. */
  readonly workflows: readonly { readonly task: string; readonly outcome: string }[];
  readonly recorder: { readonly ok: boolean; readonly entries: number };
  readonly state: string;
  readonly readyMs: number;
  readonly ok: boolean;
};

const orderMs = 25_000;
const settleMs = 5_000;
const verified = z.object({ ok: z.boolean(), entries: z.number() });
const reach = z.object({ steps: z.array(z.object({ schema: z.string().nullable(), action: z.string().nullable() })) });
const intents = z.object({ workflows: z.array(z.object({ task: z.string(), outcome: z.string() })) });
const waiting = z.object({
  approvals: z.array(z.object({ id: z.string(), hold: z.object({ task: z.string() }) })),
});

/** Starts judges and mesh, gives every order and looks at what became of it. The caller stops both. */
export async function playStory(
  state: string,
  tell: (played: Played) => void,
): Promise<{ readonly stop: () => Promise<void>; readonly result: PlayedStory }> {
  const judges = await startJudges();
  let mesh: RunningMesh | null = null;
  const stop = async (): Promise<void> => {
    await mesh?.stop();
    await judges.close();
  };
  try {
    mesh = await startMesh(state, join(state, 'mesh.log'), meshFileFor(judges.url, state));
    const place = mesh.ready.sidecars.find(({ agent }) => agent === 'desk');
    if (place === undefined || place.tokenFile === null) throw new Error('The mesh has no desk.');
    const desk = await joinMesh({ sidecar: place.address, token: readFileSync(place.tokenFile, 'utf8') });
    const record = new MeshRecord(state);
    const played: Played[] = [];
    for (const scenario of scenarios) {
      const one = await playOne(scenario, desk, record, state);
      played.push(one);
      tell(one);
    }
    const end = await endOf(played, record, state);
    desk.close();
    const ok = played.every(({ asExpected }) => asExpected) && end.recorder.ok && end.reached.published;
    return { stop, result: { scenarios: played, ...end, state, readyMs: mesh.ready.readyMs, ok } };
  } catch (failure) {
    await stop();
    throw failure;
  }
}

/** The mesh file with the judges' own address in it, beside links to everything that it names. */
function meshFileFor(judgesUrl: string, state: string): string {
  const folder = join(state, 'mesh');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o755 });
  for (const name of ['agents', 'judges', 'oispec', 'tools', 'workflows']) {
    symlinkSync(join(import.meta.dirname, '..', name), join(folder, name));
  }
  const file = join(folder, 'security_mesh.yaml');
  writeFileSync(file, readFileSync(meshFile, 'utf8').replace(judgesInFile, judgesUrl));
  return file;
}

async function playOne(
  scenario: Scenario,
  desk: MeshAgent,
  record: MeshRecord,
  state: string,
): Promise<Played> {
  const { ticker, released } = scenario;
  const sent = await desk.startTask({ to: 'compiler', schema: 'research-order/1', prompt: { ticker } });
  const { task, code } = sent;
  if (task === null) throw new Error(`The desk may not order: ${code}.`);
  if (released) await release(task, state);
  const status = (await resultOf(desk, task))?.status ?? 'UNKNOWN';
  const seenNow = async () => ({ ...seenIn(await record.entries(), task), status });
  // What is not privileged is recorded a moment after it happened.
  const fits = await within(settleMs, async () => {
    const seen = await seenNow();
    return isAsExpected(scenario, seen) ? seen : null;
  });
  const seen = fits ?? (await seenNow());
  return { ...scenario, task, seen, asExpected: fits !== null };
}

async function resultOf(desk: MeshAgent, task: string): Promise<Payloads['research-result/1'] | null> {
  const signal = AbortSignal.timeout(orderMs);
  try {
    for await (const message of desk.messages(signal)) {
      const result = message.task === task ? payloadOf(message, 'research-result/1') : null;
      if (result !== null) return result;
    }
  } catch (failure) {
    // Nothing came in time; whatever else went wrong is not the order's end.
    if (!signal.aborted) throw failure;
  }
  return null;
}

/** A person at a terminal, once the action waits: `maso approvals approve`. */
async function release(task: string, state: string): Promise<void> {
  const held = await within(orderMs, async () => {
    const { approvals } = waiting.parse(await masoJson(['approvals', 'list', '--state', state]));
    return approvals.find(({ hold }) => hold.task === task) ?? null;
  });
  if (held === null) return;
  const reason = ['--reason', 'the filing names the contract'];
  await masoJson(['approvals', 'approve', held.id, ...reason, '--state', state]);
}

function seenIn(entries: readonly RecordedEntry[], task: string): Omit<Played['seen'], 'status'> {
  const own = entries.filter((entry) => entry.task === task);
  const spoken = own.filter(({ outcome, kind }) =>
    (outcome === 'NO-GO' || outcome === 'ESCALATE') && kind !== 'approval.held' && kind !== 'workflow.evaluated');
  const codes = spoken.flatMap(({ code }) => code ?? []);
  const done = own.filter(({ kind, outcome }) => kind === 'tool.outcome' && outcome === 'GO');
  const held = new Set(own
    .filter(({ kind, detail }) => kind === 'judge.ruled' && detail['mode'] === 'held')
    .flatMap(({ causedBy }) => causedBy));
  return {
    codes: [...new Set(codes)].toSorted(),
    done: done.flatMap(({ detail }) => (typeof detail['action'] === 'string' ? [detail['action']] : [])),
    judged: own.filter(({ kind, id }) => kind === 'judge.called' && held.has(id)).length,
    whole: own.find(({ kind, detail }) => kind === 'judge.ruled' && detail['mode'] === 'phase')?.outcome ?? null,
  };
}

function isAsExpected(expected: Scenario, seen: Played['seen']): boolean {
  const of = ({ codes, done, judged, status, whole }: Played['seen']): string =>
    JSON.stringify([codes, done, judged, status, whole]);
  return of(expected) === of(seen);
}

/** A published report turned out to be wrong: who heard of its figures, and what was done with them. */
async function endOf(
  played: readonly Played[],
  record: MeshRecord,
  state: string,
): Promise<Pick<PlayedStory, 'reached' | 'workflows' | 'recorder'>> {
  const [first] = played;
  const figures = (await record.entries()).find(({ kind, task, detail }) =>
    kind === 'message.outbound' && task === first?.task && detail['schema'] === 'figures/1');
  const at = ['--state', state];
  const found = reach.parse(await masoJson(['recorder', 'reach', figures?.message ?? '', ...at]));
  const { workflows } = intents.parse(await masoJson(['intent', ...at]));
  return {
    reached: {
      messages: found.steps.filter(({ schema }) => schema !== null).length,
      published: found.steps.some(({ action }) => action === 'publish_report'),
    },
    workflows: workflows.map(({ task, outcome }) => ({ task, outcome })),
    recorder: verified.parse(await masoJson(['recorder', 'verify', ...at])),
  };
}
