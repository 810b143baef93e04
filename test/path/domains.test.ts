// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { joinMesh, type MeshAgent } from '../../src/sdk/join-mesh.ts';
import { MeshFolder, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';

/** The seed's four domains as they stand, one more in the clear, and agents to exchange with. */
const seed = readFileSync(new URL('../../examples/seed/security_mesh.yaml', import.meta.url), 'utf8');
const extended = `${seed.replace('audit_scope: "FULL_MESH"', 'audit_scope: "FULL_MESH"\n    development: true').trimEnd()}
    - name: "open"
      tier: "PLAINTEXT"
      allowed_roles: ["RETRIEVER", "ANALYST", "ORCHESTRATOR"]
      metadata_masking: true
      audit_level: "FULL_MESH"
    - name: "bare"
      tier: "PLAINTEXT"
      allowed_roles: ["RETRIEVER", "ANALYST"]
      metadata_masking: false
      audit_level: "OUTPUT_ONLY"
    - name: "elsewhere"
      tier: "PLAINTEXT"
      allowed_roles: ["EXECUTOR"]
      metadata_masking: false
      audit_level: "FULL_MESH"
  zones: { core: { clearance: internal }, secret: { clearance: restricted } }
  agents:
    reader: { role: RETRIEVER, zone: secret }
    analyst: { role: ANALYST, zone: core }
    planner: { role: ORCHESTRATOR, zone: core }
  edges:
    - { from: reader, to: analyst, domain: open, schemas: [note/1] }
    - { from: reader, to: analyst, domain: bare, schemas: [note/1] }
    - { from: reader, to: planner, domain: agent_memory, schemas: [note/1] }
  schemas:
    note/1:
      type: data
      schema:
        type: object
        required: [text]
        additionalProperties: false
        properties: { text: { type: string, maxLength: 2000 } }
`;

const agents = ['reader', 'analyst', 'planner'] as const;
const metadata = {
  sender_ip: '10.0.0.1',
  routing_path: 'a>b',
  internal_id: 'x-1',
  timestamp: '12:00',
  topic: 'weather',
};

describe('the seed\'s own file', () => {
  test('starts a mesh unchanged and warns of the tiers it cannot provide', async () => {
    const folder = await MeshFolder.create({ 'security_mesh.yaml': seed });
    const mesh = await up(folder);
    try {
      expect(mesh.said()).toContain('MESH_TIER_UNAVAILABLE');
    } finally {
      await mesh.stop();
      await folder.remove();
    }
  });
});

describe('data domains', () => {
  let folder: MeshFolder;
  let mesh: MasoProcess | undefined;
  const joined = new Map<string, MeshAgent>();

  beforeAll(async () => {
    folder = await MeshFolder.create({ 'security_mesh.yaml': extended });
    mesh = await up(folder);
    for (const agent of agents) {
      const sidecar = folder.socketOf(agent);
      joined.set(agent, await joinMesh({ sidecar, token: folder.tokenOf(agent) }));
    }
  });

  afterAll(async () => {
    for (const agent of joined.values()) agent.close();
    await mesh?.stop();
    await folder.remove();
  });

  const sendIn = async (domain: string, to = 'analyst') => {
    const reader = joined.get('reader');
    if (reader === undefined) throw new Error('not joined');
    const payload = { text: `in ${domain}` };
    return reader.send({ to, type: 'data', schema: 'note/1', payload, domain, metadata });
  };

  const refusalOf = async (message: string | null): Promise<string | null> => {
    const entry = await until('the refusal on record', async () =>
      (await folder.entries()).find((one) => one.kind === 'message.refused' && one.message === message),
    );
    return entry.code;
  };

  test.each([
    ['pii_inference', 'analyst', 'BUS_ROLE_DENIED'],
    ['agent_memory', 'planner', 'PROTECTION_TIER_UNAVAILABLE'],
    ['elsewhere', 'analyst', 'BUS_ROLE_DENIED'],
    ['financial_models', 'analyst', 'BUS_ROLE_DENIED'],
    ['coordination', 'planner', 'BUS_ROLE_DENIED'],
    ['open', 'planner', 'BUS_EDGE_DENIED'],
    ['nowhere', 'analyst', 'BUS_DOMAIN_UNKNOWN'],
  ])('an exchange in %s with %s is refused with %s', async (domain, to, code) => {
    const sent = await sendIn(domain, to);
    expect(sent.verdict).toBe('NO-GO');
    expect(await refusalOf(sent.messageId)).toBe(code);
  });

  test('a masked domain hides the seed\'s four keys from the agent, and only those', async () => {
    const { got, entry } = await receiveIn('open');
    expect(got).toEqual({ topic: 'weather' });
    expect(JSON.stringify(entry?.detail)).toContain('digest');
  });

  test('an unmasked domain shows them; OUTPUT_ONLY records the step with less detail', async () => {
    const { got, entry } = await receiveIn('bare');
    expect(got).toEqual(metadata);
    expect(entry?.detail).toMatchObject({ to: 'analyst', domain: 'bare' });
    expect(JSON.stringify(entry?.detail)).not.toContain('digest');
  });

  async function receiveIn(domain: string) {
    const analyst = joined.get('analyst');
    const sent = await sendIn(domain);
    expect(sent.verdict).toBe('GO');
    const stop = new AbortController();
    for await (const message of analyst?.messages(stop.signal) ?? []) {
      if (message.id !== sent.messageId) continue;
      const entry = await until('the entry on record', async () =>
        (await folder.entries()).find((one) => one.kind === 'message.outbound' && one.message === sent.messageId),
      );
      return { got: message.metadata, entry };
    }
    throw new Error('nothing came');
  }
});
