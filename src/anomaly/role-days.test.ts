// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { AgentDays, numbersPerAgentDays, RoleDays, type ToldDrift } from './role-days.ts';
import { seeded } from './simulated-days.ts';

// The same in each run: chance alone is told of as a drift once in 42 weeks, and so in one run of ten or twenty.
const seed = Number(process.env['SEED'] ?? 1);

type Told = ToldDrift & { readonly agent: number; readonly day: number };

function block(): AgentDays {
  return new AgentDays(new Float64Array(numbersPerAgentDays), 0, 'more');
}

/** Days of as many agents; `shareOf` is one agent's day as a share of its anchor. */
function lived(days: number, count: number, shareOf: (agent: number, day: number) => number): readonly Told[] {
  const role = new RoleDays('more');
  const agents = Array.from({ length: count }, block);
  const found: Told[] = [];
  for (let day = 1; day <= days; day += 1) {
    for (const [agent, own] of agents.entries()) {
      const share = shareOf(agent, day);
      found.push(...role.closed({ day, mean: share, share }, own).map((one) => ({ ...one, agent, day })));
    }
  }
  return found;
}

const begins = 140;
const drift = (day: number): number => 1 + (0.005 / 7) * Math.max(0, day - begins);

describe(`days of a role, SEED=${seed}`, () => {
  test('that differ for everybody alike leave the one that drifts away from its peers, and no other', () => {
    const next = seeded(seed);
    let [today, noise] = [0, 1];
    const shareOf = (agent: number, day: number): number => {
      if (day !== today) [today, noise] = [day, 0.8 + 0.4 * next()];
      return noise * (agent === 3 ? drift(day) : 1) * (0.998 + 0.004 * next());
    };
    const besidePeers = lived(begins + 60, 10, shareOf).filter(({ against }) => against.includes('peers'));
    expect(besidePeers.map(({ agent }) => agent)).toEqual([3]);
    expect(besidePeers[0]?.day).toBeGreaterThan(begins);
    expect(besidePeers[0]?.day).toBeLessThan(begins + 35);
  });

  test('that differ for each by chance leave a drift of all of them, told once', () => {
    const next = seeded(seed);
    const found = lived(begins + 91, 10, (_agent, day) => drift(day) * (0.83 + 0.34 * next()));
    const ofRole = found.filter(({ against, day }) => against.includes('role') && day > begins);
    expect(ofRole).toHaveLength(1);
  });

  test.each([
    ['a day that is absurd', (day: number) => (day === begins - 20 ? 1e6 : 1)],
    ['days that hide it', (day: number) => (day > begins ? 1e-6 : 1)],
  ])('are no worse for %s of one that lies: a drift of the others is told, once', (_, lie) => {
    const next = seeded(seed);
    const found = lived(begins + 91, 10, (agent, day) => drift(day) * (0.95 + 0.1 * next()) * (agent === 4 ? lie(day) : 1));
    const ofRole = found.filter(({ against }) => against.includes('role'));
    expect(ofRole.map(({ day }) => day > begins)).toEqual([true]);
  });

  test('of an agent with peers are not told by themselves: what it shares with them is no news of it', () => {
    const found = lived(begins + 91, 10, (_agent, day) => drift(day));
    expect(found.map(({ against }) => against)).toEqual(['its role as a whole, over weeks']);
    const alone = lived(begins + 91, 1, (_agent, day) => drift(day));
    expect(alone.map(({ against }) => against)).toEqual(['its own weeks']);
  });

  test('of an agent whose peers left are told by themselves again, and a day that is no number changes nothing', () => {
    const role = new RoleDays('more');
    const agents = Array.from({ length: 5 }, block);
    const found: string[] = [];
    for (let day = 1; day <= 420 + 140; day += 1) {
      const share = 1 + (0.005 / 7) * Math.max(0, day - 420);
      for (const [agent, own] of agents.entries()) {
        if (agent > 0 && day > 280) continue;
        const isBroken = agent === 0 && day === 100;
        const said = isBroken ? Number.POSITIVE_INFINITY : share;
        found.push(...role.closed({ day, mean: said, share: isBroken ? 1e200 : share }, own).map(({ against }) => against));
      }
    }
    expect(found).toContain('its own weeks');
  });

  test('are not compared with fewer than three peers, nor by whoever is late', () => {
    const found = lived(200, 3, (agent, day) => agent + day / 100);
    expect(found.filter(({ against }) => against !== 'its own weeks')).toEqual([]);
    const role = new RoleDays('more');
    const late = block();
    for (let day = 200; day > 0; day -= 1) role.closed({ day, mean: 9, share: 9 }, late);
    expect([late.beside.isKnownOn(0), late.beside.standing, role.standing]).toEqual([false, null, null]);
  });
});
