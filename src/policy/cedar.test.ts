// SPDX-License-Identifier: Apache-2.0
import * as cedarModule from '@cedar-policy/cedar-wasm/nodejs';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { JsonObject } from '../message/json.ts';
import { CedarPolicies, slice, type CedarRequest } from './cedar.ts';
import { cedarValue } from './cedar-schema.ts';
import { comply } from './comply.ts';
import { PolicyError } from './policy-error.ts';

const mesh = sampleMesh();

function withPolicies(...texts: string[]): Mesh {
  return { ...mesh, policies: new Map(texts.map((text, index) => [`p${index}`, text])) };
}

function request(change: Partial<CedarRequest> = {}): CedarRequest {
  const action = mesh.actions.get('pay_invoice');
  const executor = mesh.agents.get('payments');
  if (action === undefined || executor === undefined) throw new Error('the sample has changed');
  return {
    action,
    executor,
    requester: mesh.agents.get('triage') ?? null,
    label: { classification: 'internal', integrity: 'untrusted', origins: [] },
    hop: 1,
    domain: 'billing',
    isolation: 'uid',
    parameters: { invoice: '42', payee: 'ACME', amount: 98.7 },
    ...change,
  };
}

async function load(from: Mesh): Promise<CedarPolicies> {
  const loaded = await CedarPolicies.load(from);
  if (loaded === null) throw new Error('no policies');
  return loaded;
}

async function review(from: Mesh, change: Partial<CedarRequest> = {}): Promise<string[]> {
  return (await load(from)).review(request(change)).map((one) => `${one.code} ${one.rule}`);
}

describe('CedarPolicies', () => {
  let sample: CedarPolicies;
  beforeAll(async () => {
    sample = await load(mesh);
  });

  const decide = (change: Partial<CedarRequest>): string[] =>
    sample.review(request(change)).map((one) => `${one.code} ${one.rule}`);

  it('denies what no policy permits', async () => {
    expect(await review(withPolicies('permit(principal == Agent::"triage", action, resource);')))
      .toEqual(['POLICY_CEDAR_DENIED cedar/none']);
  });

  it('names the policy that forbids', () => {
    expect(decide({ domain: 'other' })).toEqual(['POLICY_CEDAR_DENIED cedar/no-foreign-domain']);
  });

  it('denies over the bound of a policy, and permits within it', () => {
    const pay = (amount: number): string[] =>
      decide({ parameters: { invoice: '1', payee: 'A', amount } });
    expect(pay(4000.0001)).toEqual(['POLICY_CEDAR_DENIED cedar/none']);
    expect(pay(4000)).toEqual([]);
    expect(pay(98.7)).toEqual([]);
  });

  it('refuses amounts that Cedar cannot hold exactly', () => {
    for (const amount of [0.12345, 1e16, Number.NaN, Infinity, 1e-9]) {
      const found = sample.review(request({ parameters: { invoice: '1', payee: 'A', amount } }));
      expect(found).toMatchObject([{ code: 'POLICY_CEDAR_VALUE', path: '/parameters/amount' }]);
    }
  });

  it('refuses when a policy cannot be evaluated, which Cedar would skip', async () => {
    const overflow = withPolicies(
      'permit(principal, action, resource);',
      'forbid(principal, action, resource) when { context.hop + 9223372036854775807 > 0 };',
    );
    expect(await review(overflow)).toEqual(['POLICY_CEDAR_ERROR cedar/p1']);
  });

  it('refuses a request whose requester is not of the mesh', () => {
    expect(decide({ requester: null })).toEqual(['POLICY_CEDAR_DENIED cedar/none']);
  });

  it('lets no parameter stand in for a fact', () => {
    const action = {
      ...request().action,
      parameters: { type: 'object', properties: { domain: { type: 'string' } } },
    };
    const parameters: JsonObject = { domain: 'billing' };
    expect(decide({ action, parameters, domain: 'other' }))
      .toContain('POLICY_CEDAR_DENIED cedar/no-foreign-domain');
  });

  it.each([
    ['a syntax error', 'permit(principal, action resource);'],
    ['a misspelt action', 'forbid(principal, action == Action::"pay_invoce", resource);'],
    ['a misspelt fact', 'forbid(principal, action, resource) when { context.domian == "x" };'],
    [
      'a comparison of types',
      'forbid(principal, action == Action::"pay_invoice", resource) when { context.amount > 5 };',
    ],
    [
      'an optional attribute without has',
      'forbid(principal, action, resource) when { context.amount > 5 };',
    ],
    ['a template', 'permit(principal == ?principal, action, resource);'],
  ])('refuses to load %s', async (_, text) => {
    const loading = CedarPolicies.load(withPolicies('permit(principal, action, resource);', text));
    const error: unknown = await loading.catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(PolicyError);
    expect(error).toMatchObject({ code: 'POLICY_CEDAR_INVALID' });
  });

  it('says where a policy is wrong, in characters', async () => {
    const text = 'permit(principal, action, resource) when { "éé" == "" && x };';
    const loading = CedarPolicies.load(withPolicies(text));
    const error: unknown = await loading.catch((cause: unknown) => cause);
    expect(error).toMatchObject({ faults: [{ policy: 'p0', offset: text.indexOf('x }') }] });
  });

  it('loads nothing without policies, and then a request is not refused for it', async () => {
    expect(await CedarPolicies.load({ ...mesh, policies: new Map() })).toBe(null);
  });

  it('is a refusal when policies are configured and Cedar is not there', () => {
    const { executor, parameters } = request();
    const verdict = comply({
      mesh,
      cedar: null,
      request: { action: 'pay_invoice', parameters, idempotencyKey: 'k', evidence: [] },
      executor,
      requester: {
        agent: 'triage',
        label: request().label,
        sources: { '/parameters/payee': ['prompt'], '/parameters/amount': ['prompt'] },
        hop: 1,
        isolation: 'uid',
      },
      domain: 'billing',
      task: '00000000000000000000000000',
      paceClamp: { phase: 'PRIMARY', allows: 'all' },
      isolation: 'uid',
      trustedValues: () => null,
      capUsed: () => 0,
      approvals: [],
      nowMs: 1,
    });
    expect(verdict.findings.map((one) => one.code)).toEqual(['POLICY_CEDAR_UNAVAILABLE']);
  });

  it('decides over a slice as over the whole, whatever is asked', () => {
    const scope = fc.constantFrom(
      'action', 'action == Action::"pay_invoice"', 'action == Action::"check_payment"',
      'action in [Action::"pay_invoice", Action::"check_payment"]', 'action in []',
      'action in Action::"pay_invoice"', 'action in [Action::"other"]', 'action == Action::"other"',
    );
    const principal = fc.constantFrom(
      'principal', 'principal == Agent::"payments"', 'principal in Zone::"core"',
      'principal is Agent', 'principal is Agent in Zone::"outside"',
    );
    const resource = fc.constantFrom('resource', 'resource == Tool::"bank"', 'resource is Tool');
    const condition = fc.constantFrom(
      '', ' when { action == Action::"pay_invoice" }', ' unless { action == Action::"pay_invoice" }',
      ' unless { context.domain == "billing" }', ' when { context.hop > 3 }',
      ' when { [Action::"check_payment"].contains(action) }', ' unless { context has amount }',
      // Cedar cannot evaluate these for some requests, and skips them.
      ' when { context.hop + 9223372036854775806 > 0 }', ' when { context.amount > 5 }',
    );
    const policy = fc.tuple(fc.constantFrom('permit', 'forbid'), principal, scope, resource, condition)
      .map(([effect, who, what, on, when]) => `${effect}(${who}, ${what}, ${on})${when};`);
    const asked = fc.record({
      action: fc.constantFrom('pay_invoice', 'check_payment'),
      principal: fc.constantFrom('payments', 'vault'),
      resource: fc.constantFrom('bank', 'mail'),
      domain: fc.constantFrom('billing', 'other'),
      hop: fc.integer({ min: 0, max: 8 }),
      amount: fc.option(fc.integer({ min: 0, max: 10 }), { nil: undefined }),
    });
    let allowed = 0;
    let erred = 0;
    const isSameOverSlice = (texts: readonly string[], request: Asked): void => {
      const policies = new Map(texts.map((text, index) => [`p${index}`, text]));
      const cut = Object.fromEntries(slice(cedarModule, policies, request.action));
      const whole = decisionOver(Object.fromEntries(policies), request);
      expect(decisionOver(cut, request)).toEqual(whole);
      if (whole.decision === 'allow') allowed += 1;
      if (whole.errors.length > 0) erred += 1;
    };
    fc.assert(fc.property(fc.array(policy, { maxLength: 12 }), asked, isSameOverSlice), { numRuns: 400 });
    // Each kind of answer was among them.
    expect(allowed).toBeGreaterThan(10);
    expect(erred).toBeGreaterThan(10);
  });
});

type Asked = {
  readonly action: string;
  readonly principal: string;
  readonly resource: string;
  readonly domain: string;
  readonly hop: number;
  readonly amount: number | undefined;
};

/** Decision, reasons and errors, without the order that Cedar leaves open. */
function decisionOver(staticPolicies: { [id: string]: string }, asked: Asked) {
  const { action, principal, resource, domain, hop, amount } = asked;
  const answer: unknown = cedarModule.isAuthorized({
    principal: { type: 'Agent', id: principal },
    action: { type: 'Action', id: action },
    resource: { type: 'Tool', id: resource },
    context: { domain, hop, ...(amount === undefined ? {} : { amount }) },
    policies: { staticPolicies },
    entities: [{
      uid: { type: 'Agent', id: 'payments' },
      attrs: {},
      parents: [{ type: 'Zone', id: 'core' }],
    }],
  });
  const { decision, diagnostics } = (answer as Answered).response;
  return {
    decision,
    reason: [...diagnostics.reason].toSorted(),
    errors: diagnostics.errors.map(({ policyId }) => policyId).toSorted(),
  };
}

type Answered = {
  response: {
    decision: string;
    diagnostics: { reason: string[]; errors: { policyId: string }[] };
  };
};

describe('cedarValue', () => {
  it('hands a number over exactly or not at all', () => {
    fc.assert(fc.property(fc.double(), (value) => {
      const given = cedarValue(value, 'number');
      if (given === null) return;
      const { __extn } = given as { __extn: { arg: string } };
      expect(Number(__extn.arg) === value).toBe(true);
    }));
  });

  it('takes no value of another type', () => {
    expect(cedarValue('1', 'integer')).toBe(null);
    expect(cedarValue(1, 'string')).toBe(null);
    expect(cedarValue(1.5, 'integer')).toBe(null);
    expect(cedarValue(2 ** 60, 'integer')).toBe(null);
    expect(cedarValue(null, 'boolean')).toBe(null);
    expect(cedarValue({ __entity: { type: 'Agent', id: 'x' } }, 'string')).toBe(null);
  });
});
