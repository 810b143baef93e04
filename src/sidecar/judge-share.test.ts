// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { judgeSettings } from '../../test/judge-standin/settings.ts';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { askAllotment } from '../control/allotments.ts';
import { ownerOf, startMs, type Owner } from '../control/bounds-fixture.ts';
import { Spend } from '../judge/spend.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { judgeMoney, judgeOperation, judgeShareMs } from '../bounds/judge-budget.ts';
import { JudgeShare } from './judge-share.ts';

const hourMs = 3_600_000;
const base = sampleMesh();
let nowMs: number;
let owner: Owner;
let mesh: Mesh;
let asks: number;
let away: boolean;
let seed = 0;

beforeEach(() => {
  [nowMs, asks, away] = [startMs, 0, false];
  mesh = { ...base, judge: judgeSettings([], { meshBudget: { moneyPerHour: 1, callsPerHour: 1000 } }) };
  owner = ownerOf(mesh, () => nowMs);
});

/** Different each time: an ask that has another's id is that ask. */
function numbered(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  seed += 1;
  new DataView(bytes.buffer).setUint32(count - 4, seed);
  return bytes;
}

function share(agent: string): JudgeShare {
  return new JudgeShare({
    agent,
    mesh: () => mesh,
    link: {
      allot: async (ask) => {
        asks += 1;
        return away ? null : askAllotment(agent, ask, owner.context);
      },
    },
    clock: { nowMs: () => nowMs },
    random: { bytes: numbered },
  });
}

/** Calls of so much until none is granted any more. */
async function spendAll(shares: readonly JudgeShare[], micros: number): Promise<number> {
  let granted = 0;
  for (let refused = 0; refused < shares.length;) {
    refused = 0;
    for (const one of shares) {
      if (await one.take(micros)) granted += 1;
      else refused += 1;
    }
  }
  return granted * micros;
}

describe('the judges of all sidecars', () => {
  it('never spend more together than the mesh may in an hour, and most of it', async () => {
    const spent = await spendAll(['a', 'b', 'c', 'd'].map(share), 7_000);
    expect(spent).toBeLessThanOrEqual(1_000_000);
    expect(spent).toBeGreaterThan(850_000);
    nowMs += hourMs + hourMs / 60 + judgeShareMs;
    expect(await share('a').take(7_000)).toBe(true);
  });

  it('nor call more often', async () => {
    mesh = { ...mesh, judge: judgeSettings([], { meshBudget: { moneyPerHour: 1, callsPerHour: 20 } }) };
    owner = ownerOf(mesh, () => nowMs);
    expect(await spendAll(['a', 'b'].map(share), 1)).toBeLessThanOrEqual(20);
  });

  it('ask for shares, not for calls', async () => {
    const one = share('a');
    for (let turn = 0; turn < 8; turn += 1) expect(await one.take(100)).toBe(true);
    expect(asks).toBe(1);
  });

  it('spend nothing that they do not hold while the owner is away, nor what is too old', async () => {
    const one = share('a');
    expect(await one.take(100)).toBe(true);
    away = true;
    expect(await one.take(100)).toBe(true);
    expect(await one.take(900_000)).toBe(false);
    nowMs += judgeShareMs;
    expect(await one.take(100)).toBe(false);
  });

  it('take one share one after the other', async () => {
    const one = share('a');
    const taken = await Promise.all(Array.from({ length: 200 }, () => one.take(20_000)));
    expect(taken.filter((ok) => ok)).toHaveLength(50);
  });

  it('are not asked by what is no sidecar of its own, or asks for nothing that can be counted', async () => {
    const ask = {
      holder: 'h', requester: 'triage', task: 't', action: null, operation: judgeOperation, idempotencyKey: 'h',
      calls: 1, amounts: { [judgeMoney]: 0.1 }, charges: [], released: false,
    };
    const code = async (executor: string, change: object) => {
      const answer = await askAllotment(executor, { ...ask, ...change }, owner.context);
      return answer.outcome === 'granted' ? 'granted' : answer.code;
    };
    expect(await code('triage', {})).toBe('granted');
    expect(await code('payments', {})).toBe('BOUNDS_ASK_REFUSED');
    expect(await code('triage', { action: 'pay_invoice' })).toBe('BOUNDS_ASK_REFUSED');
    expect(await code('triage', { amounts: {} })).toBe('BOUNDS_AMOUNT_INVALID');
    expect(await code('triage', { amounts: { [judgeMoney]: 2 }, holder: 'h2' })).toBe('BOUNDS_JUDGE_SPENT');
  });
});

const micros = (money: number) => ({ micros: money, tokens: 0 });

describe('a call', () => {
  it('is refused without its part of the mesh, and gives back what it did not need', async () => {
    const budget = { moneyPerHour: 100, moneyPerTask: 100, callsPerHour: 100 };
    const spend = new Spend(budget, { since: () => [], save: async () => undefined, drop: async () => undefined }, { nowMs: () => nowMs }, share('a'));
    expect(await spend.reserve('c1', 't', micros(900_000))).toBe(true);
    expect(await spend.reserve('c2', 't', micros(200_000))).toBe(false);
    await spend.settle('c1', micros(100_000));
    expect(await spend.reserve('c3', 't', micros(90_000))).toBe(true);
    away = true;
    expect(await spend.reserve('c4', 't', micros(800_000))).toBe(false);
  });

  it('asks nobody where the mesh has no such budget', async () => {
    mesh = { ...mesh, judge: judgeSettings([]) };
    expect(await share('a').take(1e9)).toBe(true);
    expect(asks).toBe(0);
  });
});
