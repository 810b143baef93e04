// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { changesBetween } from './change.ts';
import { combineEffects } from './change-effect.ts';
import type { ActionManifest, Mesh } from './mesh.ts';

const before = sampleMesh();
const [name = '', action] = [...before.actions][0] ?? [];

function changed(change: Partial<ActionManifest>): Mesh {
  if (action === undefined) throw new Error('The sample has no action.');
  return { ...before, actions: new Map([...before.actions, [name, { ...action, ...change }]]) };
}

function effectOf(after: Mesh): string {
  return combineEffects(changesBetween(before, after).map(({ effect }) => effect));
}

describe('what changes between two versions of a mesh', () => {
  it('is nothing between equal ones', () => {
    expect(changesBetween(before, sampleMesh())).toEqual([]);
  });

  const [first] = action?.sensitive ?? [];
  const rule = first?.[1];
  const ruled = (more: object): Mesh =>
    changed({ sensitive: new Map([[first?.[0] ?? '', { ...rule, ...more } as never]]) });

  it.each([
    ['a higher risk class', changed({ risk: 'CRITICAL' }), 'narrows'],
    ['a lower risk class', changed({ risk: 'LOW' }), 'widens'],
    ['an approval that is required', changed({ approval: 'required' }), 'narrows'],
    ['parameters of another shape', changed({ parameters: {} }), 'unclear'],
    ['one more cap', changed({ caps: new Map([...(action?.caps ?? []), ['more', { windows: [] }]]) }), 'narrows'],
    ['no rule on a value any more', changed({ sensitive: new Map() }), 'widens'],
    ['one more source', ruled({ from: [...(rule?.from ?? []), 'mail.read.body'] }), undefined],
    ['a higher autonomy tier', { ...before, autonomyTier: 3 } as Mesh, 'widens'],
    ['a trial mode', { ...before, mode: 'observe' } as Mesh, 'widens'],
    ['one edge less', { ...before, edges: before.edges.slice(1) } as Mesh, 'narrows'],
    ['a forbidding policy', { ...before, policies: new Map([...before.policies, ['no', 'forbid (principal, action, resource);']]) } as Mesh, 'narrows'],
    ['one control less', { ...before, deselected: [...before.deselected, { id: 'PG-2.1', reason: 'r', by: 'b' }] } as Mesh, 'widens'],
    ['one more pattern', { ...before, patterns: [...before.patterns, { id: 'p', pattern: 'x', outcome: 'NO-GO' }] } as Mesh, 'narrows'],
  ])('%s is told in words', (_what, after, effect) => {
    expect(changesBetween(before, after).length).toBeGreaterThan(0);
    if (effect !== undefined) expect(effectOf(after)).toBe(effect);
    expect(changesBetween(before, after).some((change) => change.needsRestart)).toBe(false);
  });

  it('is said to widen and to narrow where it does both', () => {
    const after = { ...changed({ risk: 'CRITICAL' }), autonomyTier: 3 } as Mesh;
    expect(effectOf(after)).toBe('both');
  });

  const [agentName = '', agent] = [...before.agents][0] ?? [];
  const withAgent = (more: object): Mesh =>
    ({ ...before, agents: new Map([...before.agents, [agentName, { ...agent, ...more } as never]]) });
  const [toolName = '', tool] = [...before.tools][0] ?? [];

  it.each([
    ['an agent that is new', { ...before, agents: new Map([...before.agents, ['new', { ...agent, name: 'new' } as never]]) }],
    ['an agent that is gone', { ...before, agents: new Map([...before.agents].slice(1)) }],
    ['another role', withAgent({ role: 'ANALYST' })],
    ['another isolation', withAgent({ isolation: 'container' })],
    ['one more tool in its hands', withAgent({ tools: [...(agent?.tools ?? []), 'another'] })],
    ['another program of a tool', { ...before, tools: new Map([...before.tools, [toolName, { ...tool, runner: { kind: 'http', url: 'x', credentialFile: null } } as never]]) }],
    ['another store of knowledge', { ...before, knowledgeStore: { host: 'db.test', port: 1, database: 'd', user: 'u', schema: 's', password: null, caFile: null } }],
    ['another trust domain', { ...before, trustDomain: 'other.test' }],
    ['a setting that nobody here knows', { ...before, later: 1 } as Mesh],
    ['no operator any more', { ...before, operators: new Map() }],
  ])('%s needs a restart', (_what, after) => {
    expect(changesBetween(before, after).some((change) => change.needsRestart)).toBe(true);
  });

  it('takes a tool out of an agent\'s hands at once', () => {
    const holder = [...before.agents.values()].find((one) => one.tools.length > 0);
    const after = { ...before, agents: new Map([...before.agents, [holder?.name ?? '', { ...holder, tools: [] } as never]]) };
    expect(changesBetween(before, after)).toMatchObject([{ effect: 'narrows', needsRestart: false }]);
  });
});
