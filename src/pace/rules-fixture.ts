// SPDX-License-Identifier: Apache-2.0
import type { AutonomyTier } from '../mesh/mesh.ts';
import { defaultPaceSettings, type PaceSettings } from '../mesh/pace-settings.ts';
import type { PaceRules } from './rules.ts';
import type { AgentPlace } from './unit.ts';

/** Four people with one authority each, but for `dave`, who is a second incident commander. */
export const people: NonNullable<PaceSettings['authorities']> = new Map([
  ['security', new Set(['alice'])],
  ['incident_commander', new Set(['bob', 'dave'])],
  ['risk_owner', new Set(['carol'])],
]);

/**
 * Rules for tests: agents `a` and `b` in the workflow `w`, `s` standing in for `a`, and `c` alone in
 * `v`, which needs `w`. Nobody reaches anybody.
 */
export function rulesFor(change: Partial<PaceSettings> = {}, autonomyTier: AutonomyTier = 3): PaceRules {
  const settings: PaceSettings = {
    ...defaultPaceSettings,
    workflows: new Map([
      ['w', {
        name: 'w', agents: ['a', 'b'], standbys: new Map([['a', 's']]), supervised: 'b', dependsOn: [],
        cascade: 'automatic',
      }],
      ['v', {
        name: 'v', agents: ['c'], standbys: new Map(), supervised: null, dependsOn: ['w'],
        cascade: 'automatic',
      }],
    ]),
    authorities: people,
    ...change,
  };
  const place = (name: string, workflow: string, standbyFor: string | null = null): AgentPlace =>
    ({ name, types: ['ANALYST'], zone: 'core', workflows: [workflow], standbyFor });
  return {
    autonomyTier,
    settings,
    places: new Map([
      place('a', 'w'), place('b', 'w'), place('s', 'w', 'a'), place('c', 'v'),
    ].map((one) => [one.name, one])),
    reach: new Map(),
  };
}
