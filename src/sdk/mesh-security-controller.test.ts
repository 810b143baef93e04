// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { openKeyFileKms } from '../adapters/kms-encrypted-file.ts';
import { systemRandom } from '../adapters/random-system.ts';
import type { Kms } from '../identity/credential.ts';
import {
  MeshSecurityController,
  type AuditRecord,
  type ExchangeRequest,
  type OpenRequest,
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

describe('RETRIEVAL', () => {
  let kms: Kms;
  let folder: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'maso-controller-'));
    kms = await openKeyFileKms(join(folder, 'k', 'kms.key'), systemRandom);
    const record = (one: AuditRecord): void => void records.push(one);
    controller = new MeshSecurityController({ record }, { nowMs: () => nowMs, kms });
    controller.registerFile(seedFile);
    return () => rmSync(folder, { recursive: true });
  });

  const retriever = requestOf().source;
  const planner = { ...retriever, agentId: 'planner', role: 'ORCHESTRATOR' } as const;
  const sealed = async (): Promise<string> =>
    (await controller.validateExchange('agent_memory', requestOf())).payload;
  const opened = async (change: Partial<OpenRequest> = {}, domain = 'agent_memory'): Promise<string> => {
    const payload = change.payload ?? (await sealed());
    const request = { recipient: planner, source: 'reader', timestamp: nowMs, ...change, payload };
    return controller.openExchange(domain, request).catch(({ code }) => code);
  };

  it('seals what is handed on, and opens it for its recipient', async () => {
    expect(await sealed()).not.toContain('the payload');
    expect(await opened()).toBe('the payload');
  });

  it.each<[string, Partial<OpenRequest>, string]>([
    ['another recipient', { recipient: { ...planner, agentId: 'other' } }, 'PROTECTION_KEY_FOREIGN'],
    ['another source', { source: 'other' }, 'PROTECTION_KEY_FOREIGN'],
    ['an expired recipient', { recipient: { ...planner, credentialExpiry: nowMs } }, 'BUS_CREDENTIAL_EXPIRED'],
    ['a role outside', { recipient: { ...planner, role: 'ANALYST' } }, 'BUS_ROLE_DENIED'],
    ['clear text', { payload: 'the payload' }, 'PROTECTION_SEAL_MISSING'],
  ])('is refused to %s', async (_, change, code) => {
    expect(await opened(change)).toBe(code);
    expect(records.at(-1)).toMatchObject({ outcome: 'REFUSED', code });
  });

  it('is refused in another domain, changed, and once the policy has changed', async () => {
    const payload = await sealed();
    expect(await opened({ payload }, 'coordination')).toBe('PROTECTION_KEY_FOREIGN');
    const broken = JSON.parse(payload);
    broken.ciphertext = `${broken.ciphertext[0] === 'A' ? 'B' : 'A'}${broken.ciphertext.slice(1)}`;
    expect(await opened({ payload: JSON.stringify(broken) })).toBe('PROTECTION_SEAL_BROKEN');
    controller.registerPolicy('agent_memory', { ...open, tier: 'RETRIEVAL' });
    expect(await opened({ payload })).toBe('BUS_ROLE_DENIED');
    controller.registerPolicy('agent_memory', { ...open, tier: 'RETRIEVAL', allowedRoles: ['ANALYST'] });
    const analyst = { ...planner, role: 'ANALYST' } as const;
    expect(await opened({ payload, recipient: analyst })).toBe('PROTECTION_RELEASE_DENIED');
  });

  it('a KMS that is down refuses, on record', async () => {
    const down = (): Promise<never> => Promise.reject(new Error('down'));
    const record = (one: AuditRecord): void => void records.push(one);
    controller = new MeshSecurityController({ record }, { nowMs: () => nowMs, kms: { wrap: down, unwrap: down } });
    controller.registerFile(seedFile);
    expect(await codeOf('agent_memory', requestOf())).toBe('PROTECTION_UNAVAILABLE');
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
