// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { loadFiles, sampleFile, sampleFiles, sampleText } from '../../test/mesh-files/sample.ts';
import type { Lineage } from '../identity/svid-statement.ts';
import { childRefusal, narrowedTo } from './child-scope.ts';
import { credentialLifetimeMs } from './credential-lifetime.ts';
import type { LoadedMesh } from './load.ts';

const agents = `    planner:
      role: ORCHESTRATOR
      zone: core
      spawn: { templates: [helper], children_max: 2, tools: [mail] }
    helper:
      role: RETRIEVER
      zone: core
      tools: [mail]
      oispec: oispec/helper.yaml
      template: { instances_max: 2, lifetime_ms: 60000 }
    payments:
`;
const edges = `  edges:
    - { from: planner, to: helper, schemas: [invoice/1] }
    - { from: helper, to: planner, schemas: [status/1] }
    - { from: helper, to: payments, may_request: [check_payment] }
    - { from: planner, to: payments, may_request: [check_payment] }
`;
const helperSpec = (sampleFiles['/mesh/oispec/triage.yaml'] ?? '').replaceAll('triage', 'helper');
const spawning = sampleText.replace('    payments:\n', agents).replace('  edges:\n', edges);

function load(...changes: readonly (readonly [from: string, to: string])[]): LoadedMesh {
  let text = spawning;
  for (const [from, to] of changes) {
    expect(text).toContain(from);
    text = text.replace(from, () => to);
  }
  return loadFiles({ ...sampleFiles, '/mesh/oispec/helper.yaml': helperSpec, [sampleFile]: text });
}

function errorsOf(...changes: readonly (readonly [from: string, to: string])[]): readonly string[] {
  return load(...changes).diagnostics.filter((item) => item.severity === 'error').map((item) => item.code);
}

function meshOf(loaded: LoadedMesh) {
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return loaded.mesh;
}

describe('the right to spawn', () => {
  it.each<[string, readonly [string, string], string]>([
    ['an unknown template', ['templates: [helper]', 'templates: [nobody]'], 'MESH_TEMPLATE_UNKNOWN'],
    ['an agent that is no template', ['templates: [helper]', 'templates: [triage]'], 'MESH_TEMPLATE_UNKNOWN'],
    ['a tool that is none', ['tools: [mail] }', 'tools: [none] }'], 'MESH_TOOL_UNKNOWN'],
    ['a child that executes where its parent does not',
      ['role: RETRIEVER\n      zone: core', 'role: EXECUTOR\n      zone: core'], 'MESH_SPAWN_WIDER'],
    ['a child that sends where its parent may not', ['{ from: helper, to: planner, schemas: [status/1] }',
      '{ from: helper, to: planner, schemas: [status/1] }\n    - { from: helper, to: triage, schemas: [invoice/1] }'],
    'MESH_SPAWN_WIDER'],
    ['an originator made from a template', ['      tools: [mail]\n      oispec: oispec/helper.yaml',
      '      originator: true'], 'MESH_TEMPLATE_INVALID'],
    ['a container made from a template', ['oispec: oispec/helper.yaml',
      'oispec: oispec/helper.yaml\n      isolation: container'], 'MESH_TEMPLATE_INVALID'],
    ['a name that is taken', ['    payments:\n', '    helper-2: { role: RETRIEVER, zone: core }\n    payments:\n'],
      'MESH_TEMPLATE_INVALID'],
    ['an OISpec that does not let the agent create others', ['spawn: { templates',
      'oispec: oispec/planner.yaml\n      spawn: { templates'], 'MESH_SPAWN_OISPEC'],
  ])('is refused for %s', (_name, change, code) => {
    const planner = helperSpec.replaceAll('helper', 'planner').replace('agent_role: task', 'agent_role: orchestrator');
    const text = spawning.replace(change[0], () => change[1]);
    expect(text).not.toBe(spawning);
    const files = {
      ...sampleFiles,
      '/mesh/oispec/helper.yaml': helperSpec, '/mesh/oispec/planner.yaml': planner,
      [sampleFile]: text,
    };
    expect(loadFiles(files).diagnostics.map((item) => item.code)).toContain(code);
  });

  it('is checked with the mesh file, and makes an agent privileged', () => {
    expect(errorsOf()).toEqual([]);
    const mesh = meshOf(load(['rotation_interval_ms: 600000', 'rotation_interval_ms: 3600000']));
    const planner = mesh.agents.get('planner');
    const triage = mesh.agents.get('triage');
    if (planner === undefined || triage === undefined) throw new Error('no agent');
    expect(credentialLifetimeMs(mesh, planner)).toBe(900_000);
    expect(credentialLifetimeMs(mesh, triage)).toBe(3_600_000);
  });
});

describe('places of spawned agents', () => {
  it('have the template\'s rights and edges, and no more of them than it allows', () => {
    const mesh = meshOf(load());
    expect([...mesh.agents.keys()].filter((name) => name.startsWith('helper'))).toEqual([
      'helper', 'helper-1', 'helper-2',
    ]);
    expect(mesh.agents.get('helper-2')).toMatchObject({
      fromTemplate: 'helper', template: null, oispec: { agent: 'helper-2' }, tools: ['mail'],
    });
    const of = (name: string) => mesh.edges.filter(({ from, to }) => from === name || to === name)
      .map(({ from, to, mayRequest }) => [from, to, ...mayRequest].join(' '));
    expect(of('helper-2')).toEqual(
      of('helper').map((edge) => edge.replace(/\bhelper\b/, 'helper-2')),
    );
    expect(mesh.edges.filter(({ to }) => to === 'payments')).toHaveLength(5);
  });
});

describe('a message of a spawned agent', () => {
  const task = '01K74F0Z00ABCDEFGHJKMNPQRS';
  const lineage: Lineage = {
    ancestors: ['spiffe://example.test/agent/planner/one'],
    task, depthLeft: 0, endsAt: 1_000,
    scope: { tools: [], requests: ['check_payment'], clearance: 'internal' },
  };
  const mesh = meshOf(load());
  const codeAt = (body: object, signer: object = {}, nowMs = 999): string | null =>
    childRefusal(
      { task, schema: 'status/1', payload: {}, ...body }, { name: 'helper-1', lineage, ...signer }, mesh, nowMs,
    );

  it('is refused out of its task, its time and its scope, and without its lineage', () => {
    expect(codeAt({ task: '01K74F0Z01ABCDEFGHJKMNPQRS' })).toBe('IDENTITY_TASK_FOREIGN');
    expect(codeAt({}, {}, 1_000)).toBe('IDENTITY_LINEAGE_ENDED');
    expect(codeAt({}, {}, Number.NaN)).toBe('IDENTITY_LINEAGE_ENDED');
    expect(codeAt({}, { lineage: null })).toBe('IDENTITY_LINEAGE_MISSING');
    expect(codeAt({}, { lineage: undefined })).toBe('IDENTITY_LINEAGE_MISSING');
    expect(codeAt({}, { name: 'triage' })).toBe('IDENTITY_LINEAGE_MISSING');
    const request = (action: unknown) => ({ schema: 'action-request/1', payload: { action } });
    expect(codeAt(request('pay_invoice'))).toBe('IDENTITY_SCOPE_EXCEEDED');
    expect(codeAt(request(null))).toBe('IDENTITY_SCOPE_EXCEEDED');
    expect(codeAt(request('check_payment'))).toBeNull();
    expect(codeAt({})).toBeNull();
    expect(codeAt({}, { name: 'triage', lineage: null })).toBeNull();
  });

  it('comes from an agent that has only what it was given', () => {
    const agent = mesh.agents.get('helper-1');
    if (agent === undefined) throw new Error('no agent');
    expect(narrowedTo(agent, lineage)).toMatchObject({ tools: [], clearance: 'internal' });
    expect(narrowedTo(agent, null)).toBe(agent);
    const wide: Lineage = { ...lineage, scope: { tools: ['mail', 'bank'], requests: [], clearance: 'restricted' } };
    expect(narrowedTo(agent, wide)).toMatchObject({ tools: ['mail'], clearance: 'confidential' });
  });
});
