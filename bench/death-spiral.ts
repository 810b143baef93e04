// SPDX-License-Identifier: Apache-2.0
// The token death spiral of seed 000: a four-hop request with a judge on each hop, beside the same
// request through the mesh, whose ledger gives every figure of ours. The judge is a stand-in of
// 1.2-3 s and $0.01-0.05 that speaks the protocol of real ones. `npm run bench:death-spiral -- --json`.
// Options: --requests N of each kind.
import { AiJudgeModel } from '../src/adapters/judge-model-ai.ts';
import { loadJudgeLibrary } from '../src/adapters/judge-library.ts';
import { answerOf, JudgeStandIn } from '../test/judge-standin/server.ts';
import { compatibleModel } from '../test/judge-standin/settings.ts';
import type { NaiveCost } from '../src/recorder/task-ledger.ts';
import { newFence } from '../src/judge/fence.ts';
import { promptFor } from '../src/judge/prompt.ts';
import { SpiralMesh } from '../test/mesh-harness/spiral-mesh.ts';
import { machine, numberOption, percentiles, print, rounded } from './machine.ts';

const requests = numberOption('requests', 3);
const hops = 4;
const judgeMs = { low: 1200, high: 3000 };
const judgeMoney = { low: 0.01, high: 0.05 };
const moneyPerToken = 100 / 1e6;

const standIn = await JudgeStandIn.start();
let seed = 20261121;
standIn.behave = (asked) => {
  const share = uniform();
  const tokens = Math.round((judgeMoney.low + (judgeMoney.high - judgeMoney.low) * share) / moneyPerToken);
  const afterMs = judgeMs.low + (judgeMs.high - judgeMs.low) * share;
  return { text: answerOf(asked, 'GO'), afterMs, tokens: [800, tokens] };
};
const mesh = await SpiralMesh.start(standIn.url);
try {
  await mesh.request('INV-42');
  const settled = await runs('INV-42');
  const escalated = await runs('PROFORMA-42');
  const naive = await naiveRuns();
  const held = (name: string, holds: boolean) => ({ name, holds });
  print({
    seed: 20261121,
    standIn: { ms: judgeMs, money: judgeMoney },
    naive,
    ours: { allGo: settled.figures, oneHighEscalation: escalated.figures },
    checks: [
      held('four hops, all GO, under 200 ms in total', settled.all.every(({ elapsedMs, judgeCalls, hopCount }) =>
        hopCount === hops && elapsedMs < 200 && judgeCalls === 0)),
      held('one HIGH escalation: exactly one judge call on the path', escalated.all.every(
        ({ judgeCalls, onPath, hopCount }) => hopCount === hops && judgeCalls === 1 && onPath === 1)),
      held('naive: four calls, 4.8-12 s', naive.calls === hops && naive.ms.p50 >= 4800 && naive.ms.max <= 12_500),
    ],
    machine: machine(),
  });
} finally {
  await mesh.stop();
  await standIn.close();
}

type Run = {
  readonly ms: number;
  readonly hopCount: number;
  readonly hopsMs: number;
  readonly elapsedMs: number;
  readonly judgeCalls: number;
  readonly onPath: number;
  readonly judgeMs: number;
  readonly money: number;
  readonly askedOfStandIn: number;
  readonly naive: NaiveCost;
};

async function runs(invoice: string) {
  const all: Run[] = [];
  for (let turn = 0; turn < requests; turn += 1) {
    const before = standIn.asked.length;
    const { task, ms } = await mesh.request(invoice);
    const ledger = await mesh.ledger(task);
    all.push({
      ms,
      hopCount: ledger.hops.length,
      hopsMs: ledger.hopsUs / 1000,
      elapsedMs: ledger.elapsedMs,
      judgeCalls: ledger.judge.calls,
      onPath: ledger.judge.callsOnPath,
      judgeMs: ledger.judge.onPathUs / 1000,
      money: ledger.judge.micros / 1e6,
      askedOfStandIn: standIn.asked.length - before,
      naive: ledger.naive,
    });
  }
  const of = (pick: (one: (typeof all)[number]) => number) => percentiles(all.map(pick));
  const figures = {
    requests, hops, clientMs: of(({ ms }) => ms), ledgerHopsMs: of(({ hopsMs }) => hopsMs),
    ledgerElapsedMs: of(({ elapsedMs }) => elapsedMs), judgeCalls: of(({ judgeCalls }) => judgeCalls),
    judgeCallsOnPath: of(({ onPath }) => onPath), judgeMs: of((one) => one.judgeMs),
    money: of(({ money }) => money), askedOfStandIn: of(({ askedOfStandIn }) => askedOfStandIn),
    ledgerNaive: all[0]?.naive,
  };
  return { all, figures };
}

/** A judge on every hop, one after the other, through the same client and the same stand-in. */
async function naiveRuns() {
  const settings = compatibleModel('stand-in', standIn.url);
  const judge = new AiJudgeModel(settings, null, await loadJudgeLibrary());
  const ms: number[] = [];
  const money: number[] = [];
  for (let turn = 0; turn < requests; turn += 1) {
    const startedMs = performance.now();
    let tokens = 0;
    for (let hop = 0; hop < hops; hop += 1) {
      const fence = newFence((count) => new Uint8Array(count).map(() => Math.floor(uniform() * 256)));
      const prompt = promptFor({
        id: 'hop', task: 'task', from: 'planner', about: 'order/1', kind: 'message', risk: 'HIGH',
        reversibility: null, content: { text: 'Pay INV-42 once its mail has been looked at.' },
        raisedBy: [], integrity: 'internal', classification: 'internal', goal: null,
      }, { subject: 'security', criteria: [], declared: null }, 4000, fence);
      const signal = AbortSignal.timeout(30_000);
      const answer = await judge.ask({ ...prompt, outputTokensMax: 512 }, signal);
      tokens += answer.outputTokens ?? 0;
    }
    ms.push(performance.now() - startedMs);
    money.push(rounded(tokens * moneyPerToken));
  }
  return { requests, calls: hops, ms: percentiles(ms), money: percentiles(money) };
}

/** mulberry32. */
function uniform(): number {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
