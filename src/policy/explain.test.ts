// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { loadFiles, sampleFile, sampleFiles, sampleText } from '../../test/mesh-files/sample.ts';
import type { LoadedMesh } from '../mesh/load.ts';
import { CedarPolicies } from './cedar.ts';
import { comply } from './comply.ts';
import { explainCedar, type CedarSays } from './explain-cedar.ts';
import { explain, routesOf, type Explanation } from './explain.ts';

type Loaded = Extract<LoadedMesh, { ok: true }>;
type Edit = readonly [from: string, to: string, file?: string];

const cedarFile = '/mesh/policies/payments.cedar';
const specFile = '/mesh/oispec/payments.yaml';

function load(edits: readonly Edit[] = []): Loaded {
  const files: { [path: string]: string } = { ...sampleFiles, [sampleFile]: sampleText };
  for (const [from, to, file = sampleFile] of edits) {
    if (files[file]?.includes(from) !== true) throw new Error(`not in ${file}: ${from}`);
    files[file] = (files[file] ?? '').replace(from, () => to);
  }
  const loaded = loadFiles(files);
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ code }) => code).join(', '));
  return loaded;
}

async function explained(loaded: Loaded, from: string, name: string): Promise<Explanation> {
  const { mesh, placed, policyPlaces } = loaded;
  const agent = mesh.agents.get(from);
  const action = mesh.actions.get(name);
  if (agent === undefined || action === undefined) throw new Error('unknown name');
  const said = new Map<string, readonly CedarSays[]>();
  for (const { executor, domain } of routesOf(mesh, agent, action)) {
    said.set(executor.name, await explainCedar(mesh, {
      action, executor, requester: agent, domain,
    }));
  }
  return explain({
    mesh, placed, policyPlaces, agent, action,
    cedarSays: (executor) => said.get(executor.name) ?? [],
  });
}

function codesOf({ ways }: Explanation, effect: string): readonly (string | null)[] {
  return ways.flatMap(({ rules }) =>
    rules.filter((rule) => rule.effect === effect).map(({ code }) => code));
}

const tool = 'permitted_tools: [bank]';
const cases: readonly [string, string, readonly Edit[], string, string, number][] = [
  ['no edge', 'desk', [], 'POLICY_EDGE_DENIED', sampleFile, 9],
  ['a tool outside the OISpec', 'triage', [[tool, 'permitted_tools: [x]', specFile]],
    'POLICY_OISPEC_TOOL', specFile, 8],
  ['a prohibited action', 'triage',
    [[tool, 'permitted_tools: [bank], prohibited_actions: [pay_invoice]', specFile]],
    'POLICY_OISPEC_ACTION', specFile, 8],
  ['a domain outside the OISpec', 'triage',
    [['data_scope: [billing]', 'data_scope: [x]', specFile]],
    'POLICY_OISPEC_SCOPE', specFile, 8],
  ['a risk above the OISpec', 'triage',
    [['risk_classification: HIGH', 'risk_classification: LOW', specFile]],
    'POLICY_OISPEC_RISK', specFile, 10],
  ['a Cedar policy that forbids', 'triage',
    [['unless { context.domain == "billing" }', 'when { context.domain == "billing" }', cedarFile]],
    'POLICY_CEDAR_DENIED', cedarFile, 8],
  ['no Cedar policy that permits', 'triage',
    [['Agent::"payments"', 'Agent::"desk"', cedarFile]], 'POLICY_CEDAR_DENIED', sampleFile, 70],
];

describe('explain', () => {
  it.each(cases)('names %s with its place', async (_, agent, edits, code, file, line) => {
    const explanation = await explained(load(edits), agent, 'pay_invoice');
    expect(explanation.outcome).toBe('NO-GO');
    const rule = explanation.ways[0]?.rules
      .find((one) => one.code === code && one.effect === 'refuses');
    expect(rule).toMatchObject({ place: { file, line } });
  });

  it.each(cases)('agrees with the compliance check about %s', async (_, agent, edits) => {
    const loaded = load(edits);
    const explanation = await explained(loaded, agent, 'pay_invoice');
    const { mesh } = loaded;
    const executor = mesh.agents.get('payments');
    if (executor === undefined) throw new Error('the sample has an executor');
    const sources = {
      '/parameters/payee': ['prompt'], '/parameters/amount': ['prompt'],
    };
    const verdict = comply({
      mesh,
      cedar: await CedarPolicies.load(mesh),
      request: {
        action: 'pay_invoice',
        parameters: { invoice: '42', payee: 'ACME', amount: 1 },
        idempotencyKey: 'k',
        evidence: [],
      },
      executor,
      requester: {
        agent,
        label: { classification: 'internal', integrity: 'internal', origins: [] },
        sources,
        hop: 1,
        isolation: 'uid',
      },
      domain: 'billing',
      task: '00000000000000000000000000',
      paceClamp: { phase: 'PRIMARY', allows: 'all' },
      isolation: executor.isolation,
      trustedValues: () => null,
      capUsed: () => 0,
      approvals: [],
      nowMs: 0,
    });
    const given = verdict.findings.map(({ code }) => code);
    const refuses = codesOf(explanation, 'refuses');
    expect(given).toEqual(expect.arrayContaining([...refuses]));
    expect([...refuses, ...codesOf(explanation, 'depends')])
      .toEqual(expect.arrayContaining([...given]));
  });

  it('says who may when this agent may not', async () => {
    const explanation = await explained(load(), 'desk', 'pay_invoice');
    const texts = explanation.ways[0]?.rules.map(({ text }) => text).join('\n');
    expect(texts).toContain('triage may request pay_invoice of payments in billing');
  });

  it('lets a permitted request pass, and lists what it still depends on', async () => {
    const explanation = await explained(load(), 'triage', 'pay_invoice');
    expect(explanation).toMatchObject({
      outcome: 'GO', ways: [{ executor: 'payments', domain: 'billing', approvals: 0 }],
    });
    expect(codesOf(explanation, 'refuses')).toEqual([]);
    expect(codesOf(explanation, 'depends')).toEqual([
      'POLICY_PARAMETERS_INVALID', 'POLICY_SOURCE_UNTRUSTED', 'POLICY_SOURCE_UNTRUSTED',
      // The sample's agents run without isolation, so what their sidecars stamp is not believed.
      'POLICY_SOURCE_UNTRUSTED',
      'POLICY_HOPS_EXCEEDED', 'POLICY_CAP_EXCEEDED', 'BOUNDS_RETRIES_SPENT', 'BOUNDS_BREAKER_OPEN',
      'POLICY_TASK_TIME_ENDED', 'POLICY_CEDAR_DENIED', 'SIDECAR_MANDATE_ABSENT',
    ]);
  });

  it.each<[string, Edit, number, string]>([
    ['one person', ['      risk: HIGH', '      approval: required\n      risk: HIGH'], 1,
      'POLICY_APPROVAL_REQUIRED'],
    ['two people', ['risk: HIGH', 'risk: CRITICAL'], 2, 'POLICY_TWO_PEOPLE_REQUIRED'],
    ['the tier', ['autonomy_tier: 2', 'autonomy_tier: 1'], 1, 'POLICY_TIER_SUPERVISED'],
  ])('counts the approvals for %s', async (_, edit, approvals, code) => {
    const risk: Edit = ['risk_classification: HIGH', 'risk_classification: CRITICAL', specFile];
    const explanation = await explained(load([edit, risk]), 'triage', 'pay_invoice');
    expect(explanation).toMatchObject({ outcome: 'ESCALATE', ways: [{ approvals }] });
    expect(codesOf(explanation, 'holds')).toEqual([code]);
  });
});

describe('what Cedar says before there are parameters', () => {
  const open = 'permit(principal, action == Action::"pay_invoice", resource)';

  it.each<[string, string, CedarSays['applies']]>([
    ['another principal', 'permit(principal == Agent::"desk", action, resource);', 'never'],
    ['a fact that does not hold', `${open} when { context.domain == "x" };`, 'never'],
    ['a parameter', `${open} when { context.payee == "ACME" };`, 'depends'],
    ['a parameter behind a fact that does not hold',
      `${open} when { context.domain == "x" && context.payee == "ACME" };`, 'never'],
    ['the label', `${open} when { context.integrity == "trusted" };`, 'depends'],
    ['the distance', `${open} when { context.hop == 0 };`, 'depends'],
    ['whether a parameter is there', `${open} when { context has payee };`, 'depends'],
    ['the same for another action',
      'permit(principal, action == Action::"check_payment", resource) ' +
      'when { context has invoice };', 'never'],
    ['nothing', `${open};`, 'always'],
    ['a word in a comment', `// it has a comment\n${open};`, 'always'],
  ])('tells a policy that depends on %s', async (_, policy, applies) => {
    const { mesh } = load();
    const action = mesh.actions.get('pay_invoice');
    const executor = mesh.agents.get('payments');
    const requester = mesh.agents.get('triage');
    if (action === undefined || executor === undefined || requester === undefined) {
      throw new Error('the sample has them');
    }
    const said = await explainCedar(
      { ...mesh, policies: new Map([['p', policy]]) },
      { action, executor, requester, domain: 'billing' },
    );
    expect(said).toEqual([{ policy: 'p', effect: 'permit', applies }]);
  });
});
