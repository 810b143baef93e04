// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SqliteDataKeyStore } from '../adapters/data-key-store-sqlite.ts';
import { PostgresItemStore } from '../adapters/item-store-postgres.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import type { KnowledgeApi } from '../adapters/control-knowledge-http.ts';
import type { KnowledgeFramePort } from '../bus/knowledge-frames.ts';
import type { PutAsidePort } from '../bus/put-aside.ts';
import { takeKnowledgeOrder } from '../control/knowledge-orders.ts';
import type { KnowledgeOrdersContext } from '../control/knowledge-orders.ts';
import type { PutAside } from '../control/put-aside.ts';
import { noAttestor } from '../identity/attestor.ts';
import type { PeerIdentity } from '../identity/credential.ts';
import type { RevocationView } from '../identity/revocation.ts';
import type { Reader } from '../knowledge/access.ts';
import type { KnowledgeContext } from '../knowledge/context.ts';
import type { ItemFacts } from '../knowledge/item.ts';
import type { ItemStore } from '../knowledge/item-store.ts';
import { answerAsk } from '../knowledge/kept-knowledge.ts';
import { lookThrough } from '../knowledge/look-through.ts';
import { ShelfKeys } from '../knowledge/shelf-keys.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { JsonObject } from '../message/json.ts';
import { Turns } from '../oversight/turns.ts';
import { providedTierRefusal } from '../protection/protection.ts';
import { rewrapKeys } from '../protection/rewrap.ts';
import type { FlightRecorder } from '../recorder/recorder.ts';
import { combine } from '../review/verdict.ts';
import type { Scanner } from '../scanner/scan.ts';
import { reviewContent } from '../sidecar/review.ts';
import { faultOf } from './fault.ts';
import { firewallOf } from './firewall-parts.ts';
import { openItemStore } from './item-store.ts';
import type { NodeKms } from './node-kms.ts';
import { newestEntries } from './newest-entries.ts';
import type { Plane } from './node-parts.ts';
import { Quarantine } from './node-quarantine.ts';
import { scannerOf } from './sidecar-parts.ts';

export type KnowledgeFoundations = Plane & {
  readonly kms: NodeKms;
  /** Keys may be wrapped by another KMS than the present one. */
  readonly rewrap: boolean;
  readonly flight: FlightRecorder;
  readonly revocations: Pick<RevocationView, 'isMandateRevoked'>;
  readonly aside: PutAside;
};

const tickEveryMs = 1_000;
const analyseEveryMsDefault = 3_600_000;
const listedMax = 10_000;

/** Sources of knowledge and agents' memory, kept by the node; its bus is a named recipient of both. */
export class NodeKnowledge {
  readonly #foundations: KnowledgeFoundations;
  readonly #database: BatchedDatabase;
  readonly #context: KnowledgeContext;
  readonly #orders: KnowledgeOrdersContext;
  /** Of the version of the mesh file that a document was last read under; making one takes a while. */
  #scanner: { readonly mesh: Mesh; readonly scanner: Scanner } | null = null;
  readonly #quarantine: Quarantine;
  #timer: NodeJS.Timeout | null = null;
  #lookedAt: number;
  /** Looks through what is kept, or follows what was put aside; one at a time. */
  #isLooking = false;

  private constructor(
    foundations: KnowledgeFoundations,
    database: BatchedDatabase,
    dataKeys: SqliteDataKeyStore,
    store: ItemStore,
  ) {
    const { live, clock, recorder, kms, revocations, aside, connected, flight } = foundations;
    const digestKey = randomBytes(32);
    this.#foundations = foundations;
    this.#database = database;
    this.#lookedAt = clock.nowMs();
    this.#context = {
      get mesh() {
        return live.mesh;
      },
      store,
      keys: new ShelfKeys({ kms, store: dataKeys, clock, random: systemRandom }),
      clock,
      random: systemRandom,
      recorder,
      protection: { refusal: providedTierRefusal },
      revocations,
      review: (text) => this.#review(text, digestKey),
    };
    this.#quarantine = new Quarantine({
      store: this.#context.store, aside, connected, recorder, clock, limits: () => live.mesh.limits,
      entriesSince: (sinceMs) => newestEntries(flight, sinceMs, flight.size()),
    });
    this.#orders = {
      knowledge: this.#context,
      recorder,
      clock,
      mintId: () => mintUlid(clock, systemRandom),
      get operators() {
        return foundations.operators();
      },
      quarantine: (subject) => this.#quarantine.putAside(subject, live.mesh.agents.keys()),
      startedAt: clock.nowMs(),
      taken: new Map(),
      turns: new Turns(),
    };
  }

  static async open(directory: string, foundations: KnowledgeFoundations): Promise<NodeKnowledge> {
    const database = new BatchedDatabase(join(directory, 'knowledge.sqlite'));
    const dataKeys = new SqliteDataKeyStore(database);
    const { kms, rewrap, log } = foundations;
    const rewrapAll = () =>
      rewrapKeys(dataKeys, kms, (failure) => log(`node: knowledge: ${faultOf(failure)}`));
    await kms.keep(rewrapAll, rewrap);
    return new NodeKnowledge(foundations, database, dataKeys, await openItemStore(database, foundations));
  }

  /** Starts looking through what is kept, as often as the mesh file says. */
  begin(): void {
    this.#timer = setInterval(() => {
      if (this.#isLooking) return;
      this.#isLooking = true;
      this.#look().finally(() => (this.#isLooking = false)).catch((failure: unknown) => {
        this.#foundations.log(`node: knowledge: ${faultOf(failure)}`);
      });
    }, tickEveryMs);
    this.#timer.unref();
  }

  get port(): KnowledgeFramePort & PutAsidePort {
    return {
      ...this.#quarantine.port,
      knowledge: async (peer, ask) => {
        const reader = this.#readerOf(peer);
        if (reader === null) return { ok: false, code: 'KNOWLEDGE_DENIED' };
        try {
          return await answerAsk(ask, reader, this.#context);
        } catch (failure) {
          this.#foundations.log(`node: knowledge: ${faultOf(failure)}`);
          return { ok: false, code: 'KNOWLEDGE_UNAVAILABLE' };
        }
      },
    };
  }

  get api(): KnowledgeApi {
    return {
      list: async (shelf) => (await this.#listed(shelf)).map(shownItem),
      verify: () => this.#lookThrough(),
      order: (signed, attached) => takeKnowledgeOrder(signed, attached, this.#orders),
    };
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    const { store } = this.#context;
    // Nobody waits for a database that is away: what resolved is durable there.
    if (store instanceof PostgresItemStore) store.close().catch(() => undefined);
    this.#database.close();
  }

  async #look(): Promise<void> {
    const { live, clock } = this.#foundations;
    await this.#quarantine.followUp();
    const everyMs = live.mesh.memory?.analyseEveryMs ?? analyseEveryMsDefault;
    if (clock.nowMs() - this.#lookedAt < everyMs) return;
    this.#lookedAt = clock.nowMs();
    await this.#lookThrough();
  }

  async #lookThrough(): Promise<readonly JsonObject[]> {
    const concerns = await lookThrough(this.#context, () => nextTurn());
    return concerns.map((concern) => ({ ...concern }));
  }

  async #listed(shelf: string): Promise<readonly ItemFacts[]> {
    const { store } = this.#context;
    const items: ItemFacts[] = [];
    for (let after = ''; items.length < listedMax; ) {
      const page = await store.list(null, after, 500);
      if (page.length === 0) break;
      items.push(...page.filter((item) => item.shelf.startsWith(shelf)));
      after = page.at(-1)?.id ?? '';
    }
    return items;
  }

  #readerOf(peer: PeerIdentity): Reader | null {
    const agent = this.#foundations.live.mesh.agents.get(peer.name);
    if (agent === undefined) return null;
    const credential = { issuedAtMs: peer.notBeforeMs, expiresAtMs: peer.expiresAtMs };
    return { agent, credential, attested: () => noAttestor.attested(peer) };
  }

  async #review(text: string, digestKey: Uint8Array): Promise<string | null> {
    const { live, clock, log } = this.#foundations;
    const { mesh } = live;
    if (this.#scanner?.mesh !== mesh) this.#scanner = { mesh, scanner: scannerOf(mesh, {}, digestKey, clock) };
    const verdicts = await reviewContent(
      { value: { text }, schemaId: null, type: null, channel: 'document', classification: 'restricted' },
      {
        mesh,
        scanner: this.#scanner.scanner,
        firewall: firewallOf(mesh.firewall, (failure) => log(`node: knowledge: ${faultOf(failure)}`)),
      },
    );
    return combine(verdicts).lead?.code ?? null;
  }
}

/** An item as operators see it: what is known of it, never what is in it. */
function shownItem(item: ItemFacts): JsonObject {
  const { id, shelf, task, document, part, parts, label, domain, origin, state, reason } = item;
  const { writtenAt, expiresAt, incarnation } = item;
  return {
    id, shelf, task, document, part, parts, domain, origin, state, reason, writtenAt, expiresAt, incarnation,
    label: { ...label, origins: [...label.origins] },
    readers: item.readers === null ? null : [...item.readers],
  };
}
