// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  loadFiles, sampleFile, sampleFiles, sampleMesh, sampleText,
} from '../../test/mesh-files/sample.ts';
import { proofLines } from './duty-proof-text.ts';
import { proveDuties, type DutyProof } from './duty-proof.ts';
import type { ActionManifest, Agent, AgentRole, Edge, Mesh, ToolManifest } from './mesh.ts';
import { proseGaps } from './prose.ts';

const base = sampleMesh();
const roles: readonly AgentRole[] = ['ORCHESTRATOR', 'RETRIEVER', 'EXECUTOR', 'ANALYST'];
const tools = ['t0', 't1', 't2'];
const actionNames = ['x0', 'x1', 'x2'];

function part<Value>(map: ReadonlyMap<string, Value>, name: string): Value {
  const value = map.get(name);
  if (value === undefined) throw new Error(name);
  return value;
}

const anAction = part(base.actions, 'pay_invoice');
const anAgent = part(base.agents, 'triage');
const aTool = part(base.tools, 'mail');

type Drawn = {
  readonly tier: 1 | 2 | 3;
  readonly agents: readonly { role: AgentRole; originator: boolean; tools: readonly string[] }[];
  readonly edges: readonly {
    from: number; to: number; schemas: readonly string[]; mayRequest: readonly string[];
  }[];
  readonly tools: readonly { untrusted: boolean; secret: string | null }[];
  readonly actions: readonly {
    tool: number; risk: ActionManifest['risk']; write: boolean; sensitive: boolean;
    approval: ActionManifest['approval'];
  }[];
};

const agentCount = 6;
const drawn: fc.Arbitrary<Drawn> = fc.record({
  tier: fc.constantFrom(1, 2, 2, 3),
  agents: fc.array(fc.record({
    role: fc.constantFrom(...roles),
    originator: fc.constantFrom(false, false, true),
    tools: fc.subarray(tools, { maxLength: 1 }),
  }), { minLength: agentCount, maxLength: agentCount }),
  edges: fc.array(fc.record({
    from: fc.nat(agentCount - 1),
    to: fc.nat(agentCount - 1),
    schemas: fc.subarray(['invoice/1', 'status/1']),
    mayRequest: fc.subarray(actionNames, { maxLength: 1 }),
  }), { maxLength: 9 }),
  tools: fc.array(fc.record({
    untrusted: fc.boolean(), secret: fc.constantFrom(null, null, 'gate-secret:a', 'gate-secret:b'),
  }), { minLength: 3, maxLength: 3 }),
  actions: fc.array(fc.record({
    tool: fc.nat(2),
    risk: fc.constantFrom('LOW', 'HIGH', 'HIGH', 'CRITICAL'),
    write: fc.boolean(),
    sensitive: fc.boolean(),
    approval: fc.constantFrom('policy', 'policy', 'required'),
  }), { minLength: 3, maxLength: 3 }),
});

function meshOf(given: Drawn): Mesh {
  const agents = given.agents.map((agent, index): [string, Agent] =>
    [`a${index}`, { ...anAgent, ...agent, name: `a${index}` }]);
  const edges = given.edges.map((edge): Edge =>
    ({ ...edge, from: `a${edge.from}`, to: `a${edge.to}`, domain: 'billing' }));
  const manifests = given.tools.map(({ untrusted, secret }, index): [string, ToolManifest] => [
    `t${index}`,
    {
      ...aTool,
      name: `t${index}`,
      runner: { kind: 'stdio', command: ['node'], env: secret === null ? {} : { KEY: secret } },
      results: new Map([['f', {
        integrity: untrusted ? 'untrusted' : 'internal', classification: 'internal',
      }]]),
    },
  ]);
  const actions = given.actions.map((
    { sensitive, tool, ...rest }, index,
  ): [string, ActionManifest] => [
    `x${index}`,
    {
      ...anAction,
      ...rest,
      name: `x${index}`,
      tool: `t${tool}`,
      sensitive: sensitive ? anAction.sensitive : new Map(),
    },
  ]);
  return {
    ...base,
    autonomyTier: given.tier,
    agents: new Map(agents),
    edges,
    tools: new Map(manifests),
    actions: new Map(actions),
  };
}

/** Every way without a repeated agent, found by trying all: what the proof must agree with. */
function everyPath(mesh: Mesh, from: string): readonly (readonly string[])[] {
  const found: string[][] = [];
  const walk = (path: string[]): void => {
    found.push(path);
    const here = path.at(-1) ?? '';
    const mayPass = path.length === 1 || part(mesh.agents, here).originator === false;
    if (!mayPass) return;
    for (const edge of mesh.edges) {
      const isLive = edge.schemas.length + edge.mayRequest.length > 0;
      if (edge.from === here && isLive && !path.includes(edge.to)) walk([...path, edge.to]);
    }
  };
  walk([from]);
  return found;
}

function secretsOf(mesh: Mesh, tool: string): readonly string[] {
  const { runner } = part(mesh.tools, tool);
  return runner.kind === 'stdio' ? Object.values(runner.env) : [];
}

const hasUntrusted = (mesh: Mesh, tool: string): boolean =>
  [...part(mesh.tools, tool).results.values()].some((field) => field.integrity === 'untrusted');

/** The requests of a mesh, one for each edge and action. */
const asked = (mesh: Mesh) => mesh.edges.flatMap((edge) =>
  edge.mayRequest.map((name) => ({ edge, action: part(mesh.actions, name) })));

/** Who can have the action run at the executor, by trying every way of every agent. */
function causersByForce(mesh: Mesh, executor: string, action: string): ReadonlySet<string> {
  const askers = new Set(asked(mesh)
    .filter((one) => one.edge.to === executor && one.action.name === action)
    .map((one) => one.edge.from));
  return new Set([...mesh.agents.keys()].filter((agent) => everyPath(mesh, agent).some((path) => {
    const last = path.at(-1) ?? '';
    const entersOriginator = path.length > 1 && part(mesh.agents, last).originator;
    return askers.has(last) && !entersOriginator;
  })));
}

function readsByForce(mesh: Mesh, name: string): boolean {
  const agent = part(mesh.agents, name);
  const own = agent.tools.some((tool) => agent.role !== 'EXECUTOR' || hasUntrusted(mesh, tool));
  return own || asked(mesh).some(({ edge, action }) =>
    edge.from === name && hasUntrusted(mesh, action.tool));
}

const isHigh = (action: ActionManifest): boolean => action.risk !== 'LOW';

/** Actions that nothing binds and that a reading agent can have run. */
function delegatedByForce(mesh: Mesh): ReadonlySet<string> {
  const found = asked(mesh).filter(({ edge, action }) => {
    const people = action.risk === 'CRITICAL' || action.approval === 'required' ||
      (mesh.autonomyTier === 1 && action.write);
    if (!isHigh(action) || action.sensitive.size > 0 || people) return false;
    return [...causersByForce(mesh, edge.to, action.name)]
      .some((cause) => readsByForce(mesh, cause));
  });
  return new Set(found.map(({ edge, action }) => `${edge.to} ${action.name}`));
}

/** Agents upstream of an executor that hold what it writes with. */
function sharedByForce(mesh: Mesh): ReadonlySet<string> {
  return new Set(asked(mesh).flatMap(({ edge, action }) => {
    const secrets = secretsOf(mesh, action.tool);
    // The credential of one action is the executor's, so whoever can ask it for anything counts.
    const upstream = asked(mesh).filter((other) => other.edge.to === edge.to)
      .flatMap((other) => [...causersByForce(mesh, edge.to, other.action.name)]);
    return upstream.filter((cause) => action.write && cause !== edge.to &&
      part(mesh.agents, cause).tools.some((tool) => tool === action.tool ||
        secretsOf(mesh, tool).some((secret) => secrets.includes(secret))))
      .map((cause) => `${cause} ${edge.to}`);
  }));
}

/** The definition of separation of duties, clause by clause, without any of the proof's code. */
function holdsByForce(mesh: Mesh): boolean {
  if (delegatedByForce(mesh).size > 0 || sharedByForce(mesh).size > 0) return false;
  const highTools = [...mesh.actions.values()].filter(isHigh).map((action) => action.tool);
  for (const agent of mesh.agents.values()) {
    if (agent.tools.length > 0 && (agent.originator || agent.role === 'ORCHESTRATOR')) return false;
    const isReader = agent.role !== 'EXECUTOR';
    if (isReader && agent.tools.some((tool) => highTools.includes(tool))) return false;
  }
  for (const { edge, action } of asked(mesh)) {
    const executor = part(mesh.agents, edge.to);
    if (executor.role !== 'EXECUTOR') return false;
    if (isHigh(action) && executor.tools.some((tool) => hasUntrusted(mesh, tool))) return false;
  }
  return !mesh.edges.some((edge) => part(mesh.agents, edge.to).role === 'EXECUTOR' &&
    edge.schemas.some((id) => proseGaps(part(mesh.schemas, id).schema).length > 0));
}

const codesOf = (proof: DutyProof): readonly string[] => proof.breaches.map(({ code }) => code);

/** Three agents in a row: a reader, a planner without tools, an executor with the bank. */
const chain = [
  ['    - { from: triage, to: payments, schemas: [status/1], ' +
    'may_request: [pay_invoice, check_payment] }',
    '    - { from: triage, to: planner, schemas: [invoice/1] }\n' +
    '    - { from: planner, to: payments, may_request: [pay_invoice, check_payment] }'],
  ['    payments:\n', '    planner: { role: ORCHESTRATOR, zone: core }\n    payments:\n'],
] as const;
const unbound = [/      sensitive:\n.*\n.*\n/.exec(sampleText)?.[0] ?? '', ''] as const;

function chained(edits: readonly (readonly [string, string])[]) {
  let text = sampleText;
  for (const [from, to] of edits) {
    if (!text.includes(from)) throw new Error(`not in the sample: ${from}`);
    text = text.replace(from, () => to);
  }
  return loadFiles({ ...sampleFiles, [sampleFile]: text });
}

describe('proof of separation of duties', () => {
  it('refuses a reader that reaches an unbound action over two edges, with the whole path', () => {
    const loaded = chained([...chain, unbound]);
    const [breach] = loaded.diagnostics.filter(({ severity }) => severity === 'error');
    expect(breach).toMatchObject({ code: 'MESH_DUTIES_DELEGATED', line: 21, column: 7 });
    expect(breach?.message).toContain(
      'triage -> planner (security_mesh.yaml:20:7) -> payments (security_mesh.yaml:21:7)');
  });

  it.each<[string, readonly (readonly [string, string])[]]>([
    ['a person releases it', [['      risk: HIGH', '      approval: required\n      risk: HIGH']]],
    ['every write waits for a person', [['autonomy_tier: 2', 'autonomy_tier: 1']]],
    ['nobody upstream reads', [['oispec/triage.yaml, tools: [mail]', 'oispec/triage.yaml']]],
    ['only a person stands between', [
      ['planner: { role: ORCHESTRATOR,', 'planner: { role: ORCHESTRATOR, originator: true,'],
    ]],
  ])('lets an action without sensitive parameters stand when %s', (_, edits) => {
    const codes = chained([...chain, unbound, ...edits]).diagnostics.map(({ code }) => code);
    expect(codes).not.toContain('MESH_DUTIES_DELEGATED');
  });

  it('refuses a credential upstream under the name of another tool', () => {
    const loaded = chained([
      ...chain,
      ['./bank/server.ts] }', './bank/server.ts], env: { KEY: "gate-secret:bank" } }'],
      ['./mail/server.js] }', './mail/server.js], env: { TOKEN: "gate-secret:bank" } }'],
    ]);
    expect(loaded.diagnostics.map(({ code }) => code)).toContain('MESH_DUTIES_CREDENTIAL_UPSTREAM');
  });

  it('proves the chain, and says who can cause what over which edge and what binds it', () => {
    const loaded = chained(chain);
    if (!loaded.ok) throw new Error('the chain loads');
    const proof = proveDuties(loaded.mesh);
    expect(proof).toMatchObject({ holds: true, breaches: [] });
    const pay = proof.rights.find(({ action }) => action === 'pay_invoice');
    expect(pay?.causes).toEqual([
      { agent: 'planner', next: 'payments', edge: 2, hops: 1, reads: false },
      { agent: 'triage', next: 'planner', edge: 1, hops: 2, reads: true },
      { agent: 'desk', next: 'triage', edge: 0, hops: 3, reads: false },
    ]);
    expect(pay?.parameters.find(({ name }) => name === 'amount')).toMatchObject({
      from: ['prompt'], atMost: 5000, perHour: 8000, free: false,
    });
    const lines = proofLines(proof, loaded.placed).join('\n');
    expect(lines).toContain('triage (reads third-party data) -> planner, security_mesh.yaml:20:7');
    expect(lines).toContain('invoice: whatever its schema admits');
  });

  it('gives the verdict of trying every path, on random meshes', () => {
    const seen = { held: 0, delegated: 0, shared: 0 };
    fc.assert(fc.property(drawn, (given) => {
      const mesh = meshOf(given);
      const proof = proveDuties(mesh);
      expect(proof.holds).toBe(holdsByForce(mesh));
      const delegated = proof.breaches.filter(({ code }) => code === 'MESH_DUTIES_DELEGATED');
      expect(new Set(delegated.map(({ executor, action }) => `${executor} ${action}`)))
        .toEqual(delegatedByForce(mesh));
      const shared = proof.breaches
        .filter(({ code }) => code === 'MESH_DUTIES_CREDENTIAL_UPSTREAM');
      expect(new Set(shared.map(({ agent, executor }) => `${agent} ${executor}`)))
        .toEqual(sharedByForce(mesh));
      if (proof.holds) seen.held += 1;
      if (codesOf(proof).includes('MESH_DUTIES_DELEGATED')) seen.delegated += 1;
      if (codesOf(proof).includes('MESH_DUTIES_CREDENTIAL_UPSTREAM')) seen.shared += 1;
    }), { numRuns: 1500 });
    // A generator that only draws broken meshes, or only sound ones, would prove nothing.
    expect(Math.min(seen.held, seen.delegated, seen.shared)).toBeGreaterThan(20);
  });

  it('names exactly the agents that can cause an action, on random meshes', () => {
    fc.assert(fc.property(drawn, (given) => {
      const mesh = meshOf(given);
      for (const { executor, action, causes } of proveDuties(mesh).rights) {
        expect(new Set(causes.map(({ agent }) => agent)))
          .toEqual(causersByForce(mesh, executor, action));
      }
    }), { numRuns: 500 });
  });

  it('shows a path of real edges from its agent to its executor, on random meshes', () => {
    fc.assert(fc.property(drawn, (given) => {
      const mesh = meshOf(given);
      for (const { path, agent, executor } of proveDuties(mesh).breaches) {
        if (path.length === 0) continue;
        expect([path[0]?.from, path.at(-1)?.to]).toEqual([agent, executor]);
        for (const [index, { edge, from, to }] of path.entries()) {
          expect(mesh.edges[edge]).toMatchObject({ from, to });
          if (index > 0) expect(path[index - 1]?.to).toBe(from);
        }
      }
    }), { numRuns: 500 });
  });
});
