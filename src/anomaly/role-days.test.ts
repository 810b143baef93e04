// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { anchorMs } from './day-trends.ts';
import { numbersPerPeerDays, PeerDays, RoleDays } from './role-days.ts';
import { seeded } from './simulated-days.ts';

const dayMs = 86_400_000;
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9));

/** Days of ten agents; `shareOf` is one agent's day as a share of its anchor. */
function lived(days: number, shareOf: (agent: number, day: number) => number) {
  const role = new RoleDays();
  const agents = Array.from({ length: 10 }, () => new PeerDays(new Float64Array(numbersPerPeerDays), 0));
  for (let day = 1; day <= days; day += 1) {
    for (const [index, own] of agents.entries()) role.closed({ day, share: shareOf(index, day) }, own, day * dayMs);
  }
  return { role: role.drift().z, agents: agents.map((own) => own.drift().z) };
}

const begins = 2 * (anchorMs / dayMs);
const drift = (day: number): number => 1 + (0.005 / 7) * Math.max(0, day - begins);

describe(`days of a role, SEED=${seed}`, () => {
  test('that differ for everybody alike leave the one that drifts away from its peers', () => {
    const next = seeded(seed);
    let [today, noise] = [0, 1];
    const shareOf = (agent: number, day: number): number => {
      if (day !== today) [today, noise] = [day, 0.8 + 0.4 * next()];
      return noise * (agent === 3 ? drift(day) : 1) * (0.998 + 0.004 * next());
    };
    const found = lived(begins + 60, shareOf);
    expect(found.agents[3]).toBeGreaterThan(5);
    for (const [index, z] of found.agents.entries()) if (index !== 3) expect(Math.abs(z)).toBeLessThan(5);
  });

  test('that differ for each by chance leave a drift of all of them', () => {
    const next = seeded(seed);
    const found = lived(begins + 91, (_agent, day) => drift(day) * (0.83 + 0.34 * next()));
    expect(found.role).toBeGreaterThan(3);
  });

  test('without a drift say nothing sure', () => {
    const next = seeded(seed);
    const found = lived(begins + 91, () => 0.83 + 0.34 * next());
    for (const z of [found.role, ...found.agents]) expect(Math.abs(z)).toBeLessThan(5.5);
  });

  test('are not compared with fewer than three peers, nor by whoever is late', () => {
    const role = new RoleDays();
    const own = Array.from({ length: 3 }, () => new PeerDays(new Float64Array(numbersPerPeerDays), 0));
    for (let day = 1; day < 200; day += 1) {
      for (const [index, one] of own.entries()) role.closed({ day, share: index + day / 100 }, one, day * dayMs);
    }
    expect([role.drift().z, ...own.map((one) => one.drift().z)]).toEqual([0, 0, 0, 0]);
    const late = new PeerDays(new Float64Array(numbersPerPeerDays), 0);
    role.closed({ day: 5, share: 9 }, late, anchorMs * 3);
    expect(late.drift().z).toBe(0);
  });
});
