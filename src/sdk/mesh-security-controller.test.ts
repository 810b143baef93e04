// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  MeshSecurityController,
  type AuditRecord,
  type ExchangeRequest,
  type SecurityPolicy,
} from './mesh-security-controller.ts';

const seedFile = fileURLToPath(new URL('../../examples/seed/security_mesh.yaml', import.meta.url));
const nowMs = 1_790_000_000_000;
const open: SecurityPolicy = {
  tier: 'PLAINTEXT',
  allowedRoles: ['RETRIEVER'],
  metadataMasking: true,
  maxTokenAgeMs: 600_000,
  auditLevel: 'FULL_MESH',
};
const metadata = {
  sender_ip: '10.0.0.1', routing_path: 'a>b', internal_id: 'x', timestamp: '12:00', topic: 'rain',
};
const requestOf = (source: Partial<ExchangeRequest['source']> = {}): ExchangeRequest => ({
  source: {
    agentId: 'reader', role: 'RETRIEVER', credentialExpiry: nowMs + 60_000, attestationHash: 'h', ...source,
  },
  target: 'planner',
  payload: 'the payload',
  metadata,
  timestamp: nowMs - 5,
});

let records: AuditRecord[];
let controller: MeshSecurityController;

beforeEach(() => {
  records = [];
  const record = (one: AuditRecord): void => void records.push(one);
  controller = new MeshSecurityController({ record }, { nowMs: () => nowMs });
  controller.registerPolicy('open', open);
});

const codeOf = (domain: string, request: ExchangeRequest): Promise<string> =>
  controller.validateExchange(domain, request).then(({ status }) => status, ({ code }) => code);

describe('the order of checks of the seed', () => {
  const worst = { role: 'ANALYST', credentialExpiry: nowMs - 1 } as const;

  it('no policy comes first, then expiry, age, role, attestation, tier', async () => {
    const strict = { ...open, tier: 'FHE', attestationRequired: true } as const;
    controller.registerPolicy('strict', strict);
    expect(await codeOf('nowhere', requestOf(worst))).toBe('BUS_DOMAIN_UNKNOWN');
    expect(await codeOf('strict', requestOf(worst))).toBe('BUS_CREDENTIAL_EXPIRED');
    const old = { role: 'ANALYST', credentialIssuedAt: nowMs - 600_001 } as const;
    expect(await codeOf('strict', requestOf(old))).toBe('BUS_CREDENTIAL_TOO_OLD');
    expect(await codeOf('strict', requestOf({ role: 'ANALYST' }))).toBe('BUS_ROLE_DENIED');
    expect(await codeOf('strict', requestOf())).toBe('BUS_NOT_ATTESTED');
    controller.registerPolicy('strict', { ...strict, attestationRequired: false });
    expect(await codeOf('strict', requestOf())).toBe('PROTECTION_TIER_UNAVAILABLE');
    expect(await codeOf('open', requestOf())).toBe('AUTHORIZED');
  });

  it.each([Number.NaN, Number.NEGATIVE_INFINITY, nowMs, undefined])(
    'an expiry of %s has expired', async (credentialExpiry) => {
      const request = requestOf({ credentialExpiry: credentialExpiry as number });
      expect(await codeOf('open', request)).toBe('BUS_CREDENTIAL_EXPIRED');
    },
  );

  it('an age that is no number is too old', async () => {
    const request = requestOf({ credentialIssuedAt: Number.NaN });
    expect(await codeOf('open', request)).toBe('BUS_CREDENTIAL_TOO_OLD');
  });
});

describe('policies', () => {
  it('are replaced as a whole, and are in force from the next exchange on', async () => {
    controller.registerPolicy('open', { ...open, allowedRoles: ['ANALYST'], metadataMasking: false });
    expect(await codeOf('open', requestOf())).toBe('BUS_ROLE_DENIED');
    const result = await controller.validateExchange('open', requestOf({ role: 'ANALYST' }));
    expect(result).toEqual({ payload: 'the payload', metadata, status: 'AUTHORIZED' });
    controller.removePolicy('open');
    expect(await codeOf('open', requestOf({ role: 'ANALYST' }))).toBe('BUS_DOMAIN_UNKNOWN');
  });

  it.each([
    { tier: 'TIN_FOIL' }, { allowedRoles: 'RETRIEVER' }, { allowedRoles: ['ROOT'] },
    { maxTokenAgeMs: Number.NaN }, { maxTokenAgeMs: 0 }, { metadataMasking: 'no' },
    { auditLevel: 'NONE' },
  ])('a broken one is refused and the one before stays: %j', async (change) => {
    const broken = { ...open, allowedRoles: ['ANALYST'], ...change } as SecurityPolicy;
    expect(() => controller.registerPolicy('open', broken)).toThrow(
      expect.objectContaining({ code: 'PROTECTION_POLICY_INVALID' }),
    );
    expect(await codeOf('open', requestOf())).toBe('AUTHORIZED');
  });

  it('in force do not change with the object that was handed over', async () => {
    const allowedRoles: ('ANALYST' | 'RETRIEVER')[] = ['ANALYST'];
    controller.registerPolicy('open', { ...open, allowedRoles });
    allowedRoles.push('RETRIEVER');
    expect(await codeOf('open', requestOf())).toBe('BUS_ROLE_DENIED');
  });
});

describe("the seed's configuration, unchanged", () => {
  beforeEach(() => controller.registerFile(seedFile));

  it.each([
    ['agent_memory', 'ANALYST', 'BUS_ROLE_DENIED'],
    ['agent_memory', 'RETRIEVER', 'PROTECTION_TIER_UNAVAILABLE'],
    ['pii_inference', 'ANALYST', 'BUS_NOT_ATTESTED'],
    ['financial_models', 'EXECUTOR', 'BUS_ROLE_DENIED'],
    ['financial_models', 'ANALYST', 'BUS_NOT_ATTESTED'],
    ['coordination', 'RETRIEVER', 'BUS_ROLE_DENIED'],
    ['a_fifth', 'ORCHESTRATOR', 'BUS_DOMAIN_UNKNOWN'],
  ] as const)('%s asked by %s: %s', async (domain, role, code) => {
    expect(await codeOf(domain, requestOf({ role }))).toBe(code);
  });

  it('takes the age of tokens from credential_rotation_interval_ms', async () => {
    const old = requestOf({ role: 'ORCHESTRATOR', credentialIssuedAt: nowMs - 600_001 });
    expect(await codeOf('coordination', old)).toBe('BUS_CREDENTIAL_TOO_OLD');
  });
});

describe("pitfalls of the seed's table", () => {
  it('output-only auditing: every exchange is on record, and so is every refused one', async () => {
    await codeOf('open', requestOf());
    await codeOf('open', requestOf({ role: 'ANALYST' }));
    expect(records.map(({ outcome, code, tier }) => [outcome, code, tier])).toEqual([
      ['AUTHORIZED', null, 'PLAINTEXT'], ['REFUSED', 'BUS_ROLE_DENIED', 'PLAINTEXT'],
    ]);
    expect(records[0]).toMatchObject({ source: 'reader', target: 'planner', timestamp: nowMs - 5 });
    expect(JSON.stringify(records)).not.toContain('the payload');
  });

  it('output-only auditing: what cannot be put on record is not exchanged', async () => {
    const record = (): Promise<void> => Promise.reject(new Error('disk full'));
    controller = new MeshSecurityController({ record }, { nowMs: () => nowMs });
    controller.registerPolicy('open', open);
    expect(await codeOf('open', requestOf())).toBe('PROTECTION_AUDIT_UNAVAILABLE');
  });

  it('output-only auditing: the level sets the detail only', async () => {
    controller.registerPolicy('open', { ...open, auditLevel: 'OUTPUT_ONLY' });
    await codeOf('open', requestOf());
    expect(records).toHaveLength(1);
    expect(records[0]?.metadata).toEqual({});
  });

  it('static credentials: one that lives longer than one may be old is refused', async () => {
    const forAYear = requestOf({ credentialExpiry: nowMs + 365 * 86_400_000 });
    expect(await codeOf('open', forAYear)).toBe('BUS_CREDENTIAL_TOO_OLD');
  });

  it('metadata blindness: what shows the topology reaches neither recipient nor sink', async () => {
    const result = await controller.validateExchange('open', {
      ...requestOf(), metadata: { ...metadata, 'Sender-IP': '10.0.0.1', routingPath: 'a>b' },
    });
    expect(result.metadata).toEqual({ topic: 'rain' });
    expect(records[0]?.metadata).toEqual({ topic: 'rain' });
  });

  it('flat networking: a domain without a policy, or a role outside of it, exchanges nothing', async () => {
    expect(await codeOf('nowhere', requestOf())).toBe('BUS_DOMAIN_UNKNOWN');
    expect(await codeOf('open', requestOf({ role: 'EXECUTOR' }))).toBe('BUS_ROLE_DENIED');
  });

  it('ignoring endpoint attestation: a good credential on an unproven host is refused', async () => {
    controller.registerPolicy('open', { ...open, attestationRequired: true });
    expect(await codeOf('open', requestOf())).toBe('BUS_NOT_ATTESTED');
    const attested = ({ attestationHash }: { attestationHash: string }): boolean =>
      attestationHash === 'good';
    controller = new MeshSecurityController(
      { record: () => undefined }, { nowMs: () => nowMs, attested },
    );
    controller.registerPolicy('open', { ...open, attestationRequired: true });
    expect(await codeOf('open', requestOf({ attestationHash: 'good' }))).toBe('AUTHORIZED');
    expect(await codeOf('open', requestOf({ attestationHash: 'bad' }))).toBe('BUS_NOT_ATTESTED');
  });
});
