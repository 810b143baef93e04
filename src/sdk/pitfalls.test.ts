// SPDX-License-Identifier: Apache-2.0
// The pitfall table of seed 003, a test for each row: it turns red where the guard is taken away.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { FakeSidecar, partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import { edgeRefusal } from '../bus/edge-refusal.ts';
import { isForked } from '../bus/run.ts';
import { loadMesh } from '../mesh/load.ts';
import { tierAdvice } from '../mesh/tier-advice.ts';
import { combine } from '../review/verdict.ts';
import { outboundEntry } from '../sidecar/outbound-entry.ts';
import {
  MeshSecurityController, type AuditRecord, type ExchangeRequest,
} from './mesh-security-controller.ts';

const seedFile = fileURLToPath(new URL('../../examples/seed/security_mesh.yaml', import.meta.url));
const nowMs = 1_790_000_000_000;
let records: AuditRecord[];
let controller: MeshSecurityController;

beforeEach(() => {
  records = [];
  controller = new MeshSecurityController(
    { record: (one) => void records.push(one) }, { nowMs: () => nowMs },
  );
  controller.registerFile(seedFile);
});

function requestOf(change: Partial<ExchangeRequest['source']> = {}): ExchangeRequest {
  return {
    source: {
      agentId: 'planner', role: 'ORCHESTRATOR', credentialExpiry: nowMs + 60_000, attestationHash: 'h', ...change,
    },
    target: 'worker',
    payload: 'the payload',
    metadata: { sender_ip: '10.0.0.1', routing_path: 'a>b', internal_id: 'x', timestamp: '12:00', topic: 'rain' },
    timestamp: nowMs - 5,
  };
}
const codeOf = (domain: string, change: Partial<ExchangeRequest['source']> = {}): Promise<string> =>
  controller.validateExchange(domain, requestOf(change)).then(({ status }) => status, ({ code }) => code);

describe('the four domains of the seed in one mesh', () => {
  test.each([
    ['agent_memory', 'RETRIEVER', 'PROTECTION_TIER_UNAVAILABLE'],
    ['agent_memory', 'ANALYST', 'BUS_ROLE_DENIED'],
    ['pii_inference', 'ANALYST', 'BUS_NOT_ATTESTED'],
    ['pii_inference', 'RETRIEVER', 'BUS_ROLE_DENIED'],
    ['financial_models', 'ANALYST', 'BUS_NOT_ATTESTED'],
    ['financial_models', 'EXECUTOR', 'BUS_ROLE_DENIED'],
    ['coordination', 'EXECUTOR', 'PROTECTION_TIER_UNAVAILABLE'],
    ['coordination', 'RETRIEVER', 'BUS_ROLE_DENIED'],
    ['a_fifth', 'ORCHESTRATOR', 'BUS_DOMAIN_UNKNOWN'],
  ] as const)('%s for %s, without a KMS: %s', async (domain, role, code) => {
    expect(await codeOf(domain, { role })).toBe(code);
  });
});

describe('output-only auditing', () => {
  test('no step between agents is left out of the record where a domain audits outputs only', () => {
    const sidecar = new FakeSidecar('triage');
    const { mesh } = sidecar.context;
    const domains = new Map([...mesh.domains].map(([name, domain]) =>
      [name, { ...domain, auditLevel: 'OUTPUT_ONLY' as const }]));
    const body = sidecar.bodyFrom(partyOf('triage'));
    const context = { ...sidecar.context, mesh: { ...mesh, domains } };
    const entry = outboundEntry(body, combine([]), { inputs: ['cause'] }, 1, context);
    expect(entry).toMatchObject({ kind: 'message.outbound', causedBy: ['cause'], message: body.id });
  });

  test('a refusal is audited as well as what passes', async () => {
    await codeOf('coordination', { role: 'ANALYST' });
    expect(records).toHaveLength(1);
  });
});

describe('static credentials', () => {
  test('one that lives longer than the domain accepts is refused, whenever it was made', async () => {
    const rotationMs = 600_000;
    expect(await codeOf('coordination', { credentialExpiry: nowMs + rotationMs + 1 })).toBe('BUS_CREDENTIAL_TOO_OLD');
    expect(await codeOf('coordination', { credentialExpiry: nowMs })).toBe('BUS_CREDENTIAL_EXPIRED');
  });
});

describe('metadata blindness', () => {
  test('what shows the topology is in no record of a masked domain', async () => {
    await codeOf('agent_memory', { role: 'RETRIEVER' });
    expect(JSON.stringify(records)).not.toMatch(/10\.0\.0\.1|a>b|12:00/);
  });
});

describe('FHE everywhere', () => {
  test('is advised against where the data does not ask for it', () => {
    const domain = { name: 'd', tier: 'FHE', classification: 'confidential' } as const;
    expect(tierAdvice(domain, false)?.code).toBe('MESH_TIER_STRONG');
  });
});

describe('a flat network', () => {
  test('agents between whom no edge leads exchange nothing, in whatever zone', () => {
    const sidecar = new FakeSidecar('payments');
    const body = sidecar.bodyFrom(partyOf('desk'), { schema: 'invoice/1', to: 'payments' });
    expect(edgeRefusal(body, sampleMesh())?.code).toBe('BUS_EDGE_DENIED');
  });
});

describe('endpoints that nobody attests', () => {
  test('no domain that asks for an attestation lets an unproven runtime in, in whatever role', async () => {
    for (const domain of ['pii_inference', 'financial_models']) {
      expect(await codeOf(domain, { role: 'ANALYST', attestationHash: 'sha256:good' })).toBe('BUS_NOT_ATTESTED');
    }
  });
});

describe('shared accounts', () => {
  test('an identity that goes on elsewhere is found out', () => {
    expect(isForked('run-2', ['run-1'])).toBe(true);
    expect(isForked('run-2', ['run-1', 'run-2', 'run-3'])).toBe(false);
  });

  test('two agents under one name are no mesh', () => {
    const text = `${readFileSync(seedFile, 'utf8').trimEnd()}
  agents: { reader: { role: RETRIEVER }, reader: { role: ANALYST } }\n`;
    const loaded = loadMesh(seedFile, text, () => null);
    expect(loaded.ok).toBe(false);
  });
});
