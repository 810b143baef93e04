// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { paymentsIn, type Payment } from './bank-direct.ts';
import { masoJson, startMesh, type RunningMesh } from './mesh-process.ts';
import { gapsIn, within } from './record.ts';
import { scenarios, type Scenario } from './scenarios.ts';
import { Story, type Seen } from './story.ts';

export type PlayedScenario = Seen & {
  readonly name: string;
  readonly title: string;
  readonly expected: string;
  readonly asExpected: boolean;
  readonly tookMs: number;
};

export type PlayedStory = {
  readonly scenarios: readonly PlayedScenario[];
  /** What the bank's books hold at the end. */
  readonly payments: readonly Payment[];
  /** Steps of the record without their end. */
  readonly gaps: readonly string[];
  readonly recorder: { readonly ok: boolean; readonly entries: number };
  readonly bus: string;
  readonly state: string;
  readonly console: RunningMesh['ready']['console'];
  /** Message of a payment that was left waiting for a person. */
  readonly waiting: string | null;
  readonly isolation: string;
  readonly readyMs: number;
  readonly tookMs: number;
  /** Every scenario ended as expected, and payments, record and recorder are as they must be. */
  readonly ok: boolean;
};

/** The only two that anybody ordered and nobody tampered with. */
export const rightPayments: readonly Payment[] = [
  { invoice: '2041', payee: 'ACME-SUPPLIES', amount: 98.7 },
  { invoice: 'PROFORMA-2050', payee: 'CITY-UTILITIES', amount: 120 },
];

const verified = z.object({ ok: z.boolean(), entries: z.number() });
const settleMs = 5_000;

/** Starts the mesh and plays every scenario on it. The caller stops the mesh. */
export async function playStory(
  state: string,
  logFile: string,
  tell: {
    readonly started: (mesh: RunningMesh) => void;
    readonly played: (scenario: PlayedScenario, story: Story) => Promise<void>;
  },
  leaveOneWaiting = false,
): Promise<{ readonly mesh: RunningMesh; readonly result: PlayedStory }> {
  const startedMs = performance.now();
  const mesh = await startMesh(state, logFile);
  let story: Story | null = null;
  try {
    tell.started(mesh);
    story = await Story.open(mesh.ready);
    const results: PlayedScenario[] = [];
    for (const scenario of scenarios) {
      const result = await playScenario(scenario, story);
      results.push(result);
      await tell.played(result, story);
    }
    const end = await endOf(story);
    // The desk stays, or its order would end with it.
    const waiting = leaveOneWaiting ? await orderForPerson(story) : null;
    if (!leaveOneWaiting) story.close();
    const { bus, sidecars, readyMs, console } = mesh.ready;
    const isolation = [...new Set(sidecars.map((sidecar) => sidecar.isolation))].join(', ');
    const tookMs = Math.round(performance.now() - startedMs);
    const ok = results.every(({ asExpected }) => asExpected) && end.ok;
    const result = {
      ...end, scenarios: results, bus, state, console, waiting, isolation, readyMs, tookMs, ok,
    };
    const stop = (): Promise<void> => {
      story?.close();
      return mesh.stop();
    };
    return { mesh: { ...mesh, stop }, result };
  } catch (failure) {
    story?.close();
    await mesh.stop();
    throw failure;
  }
}

/** A pro-forma invoice that nobody has released: whoever looks at the console finds it there. */
async function orderForPerson(story: Story): Promise<string | null> {
  const { task } = await story.begin({
    mail: 'inbox/2054-pro-forma.eml', invoice: 'PROFORMA-2054', payee: 'CITY-UTILITIES', amount: 180,
  });
  const held = await story.record.waitFor(
    (entry) => entry.kind === 'approval.held' && entry.task === task, 20_000,
  );
  return held?.message ?? null;
}

async function playScenario(scenario: Scenario, story: Story): Promise<PlayedScenario> {
  const { name, title, expected, also } = scenario;
  const startedMs = performance.now();
  const seen = await scenario.play(story, expected);
  const asExpected = seen.ending === expected && seen.also.join() === also.join();
  const tookMs = Math.round(performance.now() - startedMs);
  return { ...seen, name, title, expected, asExpected, tookMs };
}

async function endOf(
  story: Story,
): Promise<Pick<PlayedStory, 'payments' | 'gaps' | 'recorder' | 'ok'>> {
  const complete = await within(settleMs, async () => {
    const gaps = gapsIn(await story.record.entries());
    return gaps.length === 0 ? gaps : null;
  });
  const gaps = complete ?? gapsIn(await story.record.entries());
  const payments = paymentsIn(story.state);
  const recorder = verified.parse(await masoJson(['recorder', 'verify', '--state', story.state]));
  const paidRightly = JSON.stringify(payments) === JSON.stringify(rightPayments);
  return { payments, gaps, recorder, ok: paidRightly && gaps.length === 0 && recorder.ok };
}
