// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { SqliteDataKeyStore } from '../adapters/data-key-store-sqlite.ts';
import { SqliteItemStore } from '../adapters/item-store-sqlite.ts';
import { openKeyFileKms } from '../adapters/kms-encrypted-file.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import type { KnowledgeSource, MemorySettings, TokenSettings } from '../mesh/knowledge-settings.ts';
import type { Agent, AgentRole, Domain, Mesh } from '../mesh/mesh.ts';
import type { Classification, Label } from '../message/envelope.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { providedTierRefusal } from '../protection/protection.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { Reader } from './access.ts';
import type { GivenItem, KnowledgeAnswer, KnowledgeAsk } from './asks.ts';
import type { KnowledgeContext } from './context.ts';
import { answerAsk } from './kept-knowledge.ts';
import type { ItemStore } from './item-store.ts';
import { ShelfKeys } from './shelf-keys.ts';
import { prepareDocuments, type Document, type Ingested } from './source.ts';

export const startMs = Date.UTC(2026, 0, 5);
const hourMs = 3_600_000;

/** Domains, sources and memory as they can be changed by a test while the node runs. */
export type Settings = {
  domain: Domain;
  memory: MemorySettings | null;
  tokens: TokenSettings | null;
  source: KnowledgeSource;
  revokedMandates: Set<string>;
  found: (text: string) => string | null;
};

function agentNamed(name: string, role: AgentRole, clearance: Classification): Agent {
  const [any] = sampleMesh().agents.values();
  if (any === undefined) throw new Error('The sample mesh has no agent.');
  return { ...any, name, role, clearance, originator: false, tools: [] };
}

/** What a node keeps, on a store and a KMS of its own in a folder of its own. */
export class KnowledgeFixture {
  readonly folder = mkdtempSync(join(tmpdir(), 'maso-knowledge-'));
  readonly clock = { ms: startMs, nowMs: () => this.clock.ms };
  readonly entries: EntryDraft[] = [];
  readonly settings: Settings;
  readonly database: BatchedDatabase;
  readonly store: SqliteItemStore;
  readonly context: KnowledgeContext;
  readonly agents = {
    triage: agentNamed('triage', 'RETRIEVER', 'confidential'),
    clerk: agentNamed('clerk', 'RETRIEVER', 'internal'),
    planner: agentNamed('planner', 'ORCHESTRATOR', 'confidential'),
  };
  recorderFails = false;

  private constructor(kms: Awaited<ReturnType<typeof openKeyFileKms>>) {
    this.settings = settingsOf();
    this.database = new BatchedDatabase(join(this.folder, 'knowledge.sqlite'));
    this.store = new SqliteItemStore(this.database);
    const { clock, settings, store } = this;
    const mesh: Mesh = sampleMesh();
    this.context = {
      get mesh() {
        return {
          ...mesh,
          domains: new Map([[settings.domain.name, settings.domain]]),
          memory: settings.memory,
          tokens: settings.tokens,
          knowledge: new Map([[settings.source.name, settings.source]]),
        };
      },
      store,
      keys: new ShelfKeys({
        kms, clock, store: new SqliteDataKeyStore(this.database), random: systemRandom,
      }),
      clock,
      random: systemRandom,
      recorder: {
        record: async (entries) => {
          if (this.recorderFails) throw new Error('The disk is full.');
          this.entries.push(...entries);
          return entries.map((_, sequence) => ({ sequence }));
        },
      },
      protection: { refusal: providedTierRefusal },
      revocations: { isMandateRevoked: (mandate) => settings.revokedMandates.has(mandate) },
      review: async (text) => settings.found(text),
    };
  }

  static async open(): Promise<KnowledgeFixture> {
    const folder = mkdtempSync(join(tmpdir(), 'maso-kms-'));
    const fixture = new KnowledgeFixture(await openKeyFileKms(join(folder, 'kms', 'kms.key'), systemRandom));
    fixture.#kmsFolder = folder;
    return fixture;
  }

  #kmsFolder = '';

  close(): void {
    this.database.close();
    for (const folder of [this.folder, this.#kmsFolder]) rmSync(folder, { recursive: true });
  }

  id(): string {
    return mintUlid(this.clock, systemRandom);
  }

  readerOf(agent: Agent): Reader {
    const credential = { issuedAtMs: this.clock.ms - 1000, expiresAtMs: this.clock.ms + hourMs };
    return { agent, credential, attested: () => false };
  }

  ask(
    ask: KnowledgeAsk,
    agent: Agent = this.agents.triage,
    store: ItemStore = this.store,
  ): Promise<KnowledgeAnswer> {
    const { context } = this;
    return answerAsk(ask, this.readerOf(agent), { ...context, store });
  }

  remember(
    value: JsonValue,
    change: Partial<Extract<KnowledgeAsk, { kind: 'remember' }>> = {},
    agent: Agent = this.agents.triage,
  ): Promise<KnowledgeAnswer> {
    const ask = {
      kind: 'remember', id: this.id(), task: taskOne, incarnation: 'run-1', value, label: plainLabel,
      causes: [], principals: [], mandate: null, suspect: false, ...change,
    } as const;
    return this.ask(ask, agent);
  }

  async recall(
    where: JsonObject = {},
    change: Partial<Extract<KnowledgeAsk, { kind: 'recall' }>> = {},
    agent: Agent = this.agents.triage,
  ): Promise<KnowledgeAnswer> {
    return this.ask({
      kind: 'recall', id: this.id(), task: taskOne, incarnation: 'run-2', where, limit: 16, ...change,
    }, agent);
  }

  async query(
    text: string,
    change: Partial<Extract<KnowledgeAsk, { kind: 'query' }>> = {},
    agent: Agent = this.agents.triage,
  ): Promise<KnowledgeAnswer> {
    return this.ask({
      kind: 'query', id: this.id(), task: taskOne, incarnation: 'run-2', source: 'guidelines', text,
      limit: 16, ...change,
    }, agent);
  }

  /** As an order does it; what was taken in, or the code of the refusal. */
  async ingest(
    name: string,
    text: string,
    change: Partial<Document> = {},
  ): Promise<({ readonly ok: true } & Ingested) | { readonly ok: false; readonly code: string }> {
    const document = { name, text, classification: null, readers: null, ...change };
    const prepared = await prepareDocuments([document], this.settings.source, this.context);
    if (!prepared.ok) return { ok: false, code: prepared.code };
    await this.store.add(prepared.items, prepared.superseded);
    const [ingested] = prepared.documents;
    if (ingested === undefined) throw new Error('nothing was taken in');
    return { ok: true, ...ingested };
  }

  /** Runs SQL on the store behind the node's back, as somebody with the disk would. */
  tamper(sql: string, ...values: (string | number | null)[]): number {
    return Number(this.database.database.prepare(sql).run(...values).changes);
  }
}

export const taskOne = '01JD3K5V7Q8R9S0T1V2W3X4Y5Z';
export const taskTwo = '01JD3K5V7Q8R9S0T1V2W3X4Y60';
export const plainLabel: Label = { classification: 'internal', integrity: 'untrusted', origins: ['tool:mail'] };

function settingsOf(): Settings {
  return {
    domain: {
      name: 'agent_memory', tier: 'RETRIEVAL', allowedRoles: ['RETRIEVER', 'ORCHESTRATOR'],
      metadataMasking: true, auditLevel: 'FULL_MESH', maxTokenAgeMs: 600_000,
      attestationRequired: false, classification: 'internal',
    },
    memory: {
      domain: 'agent_memory', agents: new Set(['triage', 'clerk']), per: 'task', index: ['customer'],
      retentionMs: 72 * hourMs, halfLifeMs: 24 * hourMs, entriesMax: 1000, analyseEveryMs: hourMs,
    },
    tokens: { domain: 'agent_memory', members: new Set(['patient']), sees: new Set(['planner']) },
    source: {
      name: 'guidelines', domain: 'agent_memory', classification: 'internal',
      readers: new Set(['triage', 'clerk']), origin: 'https://handbook.example.org',
      maxAgeMs: 90 * 24 * hourMs, overFetch: 3, flagged: 'withhold', piecesMax: 1000,
    },
    revokedMandates: new Set(),
    found: () => null,
  };
}

/** The values given, or the code of the refusal. */
export function given(answer: KnowledgeAnswer): readonly JsonValue[] | string {
  return answer.ok ? answer.items.map(({ value }) => value) : answer.code;
}

export function onlyItem(answer: KnowledgeAnswer): GivenItem {
  const [item] = answer.ok ? answer.items : [];
  if (item === undefined) throw new Error(answer.ok ? 'nothing was given' : answer.code);
  return item;
}
