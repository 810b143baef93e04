// SPDX-License-Identifier: Apache-2.0
import type { Agent, Mesh } from '../../src/mesh/mesh.ts';
import type { JsonObject } from '../../src/message/json.ts';
import { comply, type ComplianceInput, type Requester } from '../../src/policy/comply.ts';
import { sampleMesh } from './sample.ts';

const noPolicies = ['  policies: [policies/payments.cedar]\n', ''] as const;
export const base = sampleMesh([noPolicies]);

export function agentOf(mesh: Mesh, name: string): Agent {
  const agent = mesh.agents.get(name);
  if (agent === undefined) throw new Error(name);
  return agent;
}

export const requester: Requester = {
  agent: 'triage',
  label: { classification: 'internal', integrity: 'untrusted', origins: ['tool:mail'] },
  sources: { '/parameters/payee': ['prompt'], '/parameters/amount': ['prompt'] },
  hop: 1,
  isolation: 'uid',
};

export const parameters = { invoice: '42', payee: 'ACME', amount: 98.7 };

export type Change = Partial<Omit<ComplianceInput, 'requester' | 'request'>> & {
  readonly requester?: Partial<Requester>;
  readonly action?: string;
  readonly parameters?: JsonObject;
};

/** A request that passes, changed in what a test is about. */
export function input(change: Change = {}): ComplianceInput {
  const { requester: asked, action, parameters: given, ...rest } = change;
  const mesh = rest.mesh ?? base;
  return {
    request: {
      action: action ?? 'pay_invoice',
      parameters: given ?? parameters,
      idempotencyKey: 'k1',
      evidence: [],
    },
    executor: agentOf(mesh, 'payments'),
    requester: { ...requester, ...asked },
    domain: 'billing',
    task: '00000000000000000000000000',
    paceClamp: { phase: 'PRIMARY', allows: 'all' },
    isolation: 'uid',
    trustedValues: () => null,
    capUsed: () => 0,
    approvals: [],
    requestDigest: 'digest-1',
    nowMs: 1_000,
    mesh,
    cedar: null,
    ...rest,
  };
}

export function codes(change: Change = {}): string[] {
  return comply(input(change)).findings.map((finding) => finding.code);
}

/** The mesh with one action, agent or limit replaced. */
export function meshWith(edits: readonly (readonly [string, string])[]): Mesh {
  return sampleMesh([noPolicies, ...edits]);
}

export const payments = agentOf(base, 'payments');

export const oispec = specOf(payments);

function specOf(agent: Agent): NonNullable<Agent['oispec']> {
  if (agent.oispec === null) throw new Error('the sample executor has an OISpec');
  return agent.oispec;
}
