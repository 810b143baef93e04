// SPDX-License-Identifier: Apache-2.0
// Identities of a whole fleet on one node: how fast they are issued, renewed and revoked, and what a
// hop costs while they live: `npm run bench:identities -- --json`.
// Options: --identities N, --few N to compare with, --hops N of each, --revoked N.
// In one process, on the node's own parts: authority, stores on disk, admission. A hop is signed by
// its sender, admitted by the bus (queued durably) and verified by its recipient.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBuiltinAuthority } from '../src/adapters/authority-builtin.ts';
import { systemClock } from '../src/adapters/clock-system.ts';
import { SqliteIssuedChains, SqliteJoinTokenStore } from '../src/adapters/control-store-sqlite.ts';
import { newKey } from '../src/adapters/credential-keys.ts';
import { openKeyFileKms } from '../src/adapters/kms-encrypted-file.ts';
import { SqliteMessageQueue } from '../src/adapters/queue-sqlite.ts';
import { systemRandom } from '../src/adapters/random-system.ts';
import { SqliteRevocationStore } from '../src/adapters/revocation-store-sqlite.ts';
import { BatchedDatabase } from '../src/adapters/sqlite-batch.ts';
import { admit, type AdmitContext } from '../src/bus/admit.ts';
import { ScanShare } from '../src/bus/crossing.ts';
import { InOrder } from '../src/bus/in-order.ts';
import { busScanner } from '../src/process/node-scanner.ts';
import { noInjectionModel } from '../src/firewall/injection-model.ts';
import { ContagionMonitor, defaultContagionLimits } from '../src/contagion/monitor.ts';
import { enrol, renew, type EnrolmentContext } from '../src/control/enrolment.ts';
import { revokeByNode, type RevocationsContext } from '../src/control/revocations.ts';
import { noAttestor } from '../src/identity/attestor.ts';
import type { Credential, PeerIdentity } from '../src/identity/credential.ts';
import { credentialFromPem } from '../src/identity/credential-pem.ts';
import { mintJoinToken } from '../src/identity/join-token.ts';
import { createPeerVerifier, readTrustBundle, type PeerVerifier } from '../src/identity/peer.ts';
import { signEnvelope } from '../src/identity/sign-envelope.ts';
import { verifyEnvelope } from '../src/identity/verify-envelope.ts';
import { svidLifetimes } from '../src/mesh/credential-lifetime.ts';
import type { Mesh } from '../src/mesh/mesh.ts';
import { Turns } from '../src/oversight/turns.ts';
import { primaryPace } from '../src/pace/pace-view.ts';
import { plaintextProtection } from '../src/protection/protection.ts';
import { TokenBuckets } from '../src/scanner/rate.ts';
import { createSchemaRegistry } from '../src/scanner/schema-registry.ts';
import { sampleMesh } from '../test/mesh-files/sample.ts';
import { FakeSidecar } from '../test/sidecar-fixture/sidecar.ts';
import { machine, numberOption, percentiles, print, rounded } from './machine.ts';

const many = numberOption('identities', 10_000);
const few = numberOption('few', 10);
const hops = numberOption('hops', 3_000);
const revoked = numberOption('revoked', 2_000);
const targets = { hopRatio: 1.1 };
/** Asked for at once, as a fleet that starts does. */
const atOnce = 64;
const clock = systemClock();
/** The recorder has a bench of its own. */
const recorder = { record: async () => [] };

type Member = { peer: PeerIdentity; credential: Credential };

/** A node with a fleet of so many agents, each with one identity. */
class Fleet {
  readonly members: Member[] = [];
  readonly context: AdmitContext;
  readonly revocations: RevocationsContext;
  readonly #directory = mkdtempSync(join(tmpdir(), 'maso-identities-'));
  readonly #database = new BatchedDatabase(join(this.#directory, 'node.sqlite'));
  readonly #mesh: Mesh;
  readonly #enrolment: EnrolmentContext;
  readonly #verifier: PeerVerifier;
  readonly #speaker = new FakeSidecar('payments');

  static async found(count: number): Promise<Fleet> {
    const directory = mkdtempSync(join(tmpdir(), 'maso-authority-'));
    const mesh = meshOf(count);
    const authority = await openBuiltinAuthority({
      directory: join(directory, 'authority'),
      trustDomain: mesh.trustDomain,
      kms: await openKeyFileKms(join(directory, 'kms.key'), systemRandom),
      clock,
      random: systemRandom,
      lifetimes: svidLifetimes(mesh),
    });
    rmSync(directory, { recursive: true });
    return new Fleet(mesh, authority);
  }

  private constructor(mesh: Mesh, authority: EnrolmentContext['authority']) {
    this.#mesh = mesh;
    const bundle = readTrustBundle(authority.bundlePem(), mesh.trustDomain);
    this.#verifier = createPeerVerifier(bundle, clock, svidLifetimes(mesh));
    const chains = new SqliteIssuedChains(this.#database, clock.nowMs());
    const store = new SqliteRevocationStore(this.#database);
    const list = store.load(clock.nowMs());
    this.revocations = {
      mesh, store, list, recorder, clock,
      operators: new Map(),
      turns: new Turns(),
      mintId: () => Buffer.from(systemRandom.bytes(16)).toString('hex'),
      applied: () => undefined,
    };
    this.#enrolment = {
      mesh, authority, recorder, clock,
      tokens: new SqliteJoinTokenStore(this.#database),
      revocations: list,
      random: systemRandom,
      childOf: () => null,
      issued: async (thumbprint, chain, expiresAtMs) => {
        this.#verifier.verifyPem(chain);
        await chains.add(thumbprint, chain, expiresAtMs, clock.nowMs());
      },
    };
    const schemas = createSchemaRegistry(mesh.schemas.values());
    this.context = {
      mesh, clock, recorder,
      policy: { version: 1 },
      pace: primaryPace,
      schemas,
      protection: plaintextProtection,
      attestor: noAttestor,
      rates: new TokenBuckets({ perSecond: 1e9, burst: 1e9 }),
      queue: new SqliteMessageQueue(this.#database, 0, systemRandom),
      contagion: new ContagionMonitor(defaultContagionLimits, systemRandom.bytes(32), clock.nowMs()),
      secondReader: { model: noInjectionModel },
      order: new InOrder(),
      scanner: busScanner({ mesh, schemas }, clock),
      scanShare: new ScanShare(),
      revocations: list,
      keyAhead: () => undefined,
      noteHandOver: async () => undefined,
      isRunAside: () => false,
      identityOf: (thumbprint) => this.#verifier.byThumbprint(thumbprint),
      lineageOf: () => null,
      mandates: { refusal: () => null, register: async () => undefined },
      payloads: { keep: () => null, keepRead: () => null },
    };
  }

  /** Joins every agent by a token of its own; the keys are made before the clock starts. */
  async issue(): Promise<number> {
    const names = [...this.#mesh.agents.keys()].filter((name) => name.startsWith('a-'));
    const { privateKey, csrPem } = await newKey();
    const startMs = performance.now();
    await inTurns(names, async (agent, index) => {
      const claims = { agent, address: 'h:1', caHash: 'A'.repeat(43), expiresAtMs: clock.nowMs() + 60_000 };
      const { token, record } = mintJoinToken(claims, systemRandom);
      await this.#enrolment.tokens.add(record);
      const enrolled = await enrol(token, csrPem, this.#enrolment);
      if (!enrolled.ok) throw new Error(enrolled.code);
      this.members[index] = this.#memberOf(enrolled.chainPem, privateKey);
    });
    return perSecond(names.length, startMs);
  }

  async rotate(): Promise<number> {
    const { privateKey, csrPem } = await newKey();
    const startMs = performance.now();
    await inTurns(this.members, async ({ peer }, index) => {
      const renewed = await renew(peer, csrPem, this.#enrolment);
      if (!renewed.ok) throw new Error(renewed.code);
      this.members[index] = this.#memberOf(renewed.chainPem, privateKey);
    });
    return perSecond(this.members.length, startMs);
  }

  async revoke(count: number): Promise<number> {
    const startMs = performance.now();
    const ended = this.members.splice(0, Math.min(count, this.members.length - few));
    for (const { peer } of ended) await revokeByNode(peer.spiffeId, this.revocations);
    return perSecond(ended.length, startMs);
  }

  /** One hop, milliseconds; throws when any step refuses it. */
  async hop(number: number): Promise<number> {
    const member = this.members[(number * 7_919) % this.members.length];
    if (member === undefined) throw new Error('Nobody lives.');
    this.#speaker.clock.ms = clock.nowMs();
    const body = this.#speaker.bodyFrom(member, { schema: 'status/1', payload: { state: 'open' } });
    const startMs = performance.now();
    const envelope = signEnvelope(body, member.credential);
    const { id, task } = body;
    const entry = {
      kind: 'message.outbound' as const, id: `${id}.outbound`, at: body.issuedAt,
      actor: `agent:${member.peer.name}`, task, message: id, causedBy: [], outcome: 'GO' as const,
      code: null, verdicts: [], tookUs: null, detail: {},
    };
    const publication = { envelope, entry, resend: false, policyVersion: 1 };
    const admission = await admit(member.peer, publication, this.context);
    if (admission.answer !== 'accepted') throw new Error(admission.code);
    const limits = { bytesMax: 1e6, depthMax: 32 };
    const verified = verifyEnvelope(envelope, (one) => this.#verifier.byThumbprint(one), limits);
    const holds = verified.ok && !this.revocations.list.isRevoked(member.peer);
    const tookMs = performance.now() - startMs;
    if (!holds) throw new Error('The recipient refused it.');
    if (admission.message !== null) await this.context.queue.settle(admission.message.position);
    return tookMs;
  }

  close(): void {
    this.#database.close();
    rmSync(this.#directory, { recursive: true });
  }

  #memberOf(chainPem: string, key: Credential['privateKey']): Member {
    const verdict = this.#verifier.verifyPem(chainPem);
    if (!verdict.ok) throw new Error(verdict.code);
    return { peer: verdict.peer, credential: credentialFromPem(chainPem, key) };
  }
}

function meshOf(count: number): Mesh {
  const base = sampleMesh();
  const triage = base.agents.get('triage');
  const edge = base.edges.find(({ from, to }) => from === 'triage' && to === 'payments');
  if (triage === undefined || edge === undefined) throw new Error('The sample has no triage.');
  const agents = new Map(base.agents);
  const edges = [...base.edges];
  for (let index = 0; index < count; index += 1) {
    agents.set(`a-${index}`, { ...triage, name: `a-${index}` });
    edges.push({ ...edge, from: `a-${index}` });
  }
  // Nobody runs out of time while a slow machine issues to the others.
  const longestMs = 3_600_000;
  const domains = new Map([...base.domains].map(([name, domain]) =>
    [name, { ...domain, maxTokenAgeMs: longestMs }]));
  return { ...base, agents, edges, domains, credentialRotationIntervalMs: longestMs };
}

async function inTurns<Item>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length; start += atOnce) {
    const part = items.slice(start, start + atOnce);
    await Promise.all(part.map((item, index) => work(item, start + index)));
  }
}

function perSecond(count: number, startMs: number): number {
  return Math.round((count * 1000) / (performance.now() - startMs));
}

/** Both fleets by turns, so that whatever slows the machine slows both. */
async function compare(large: Fleet, small: Fleet): Promise<{ few: number; many: number }> {
  const took = { few: [] as number[], many: [] as number[] };
  for (let hop = 0; hop < hops; hop += 1) {
    took.few.push(await small.hop(hop));
    took.many.push(await large.hop(hop));
  }
  const half = (values: readonly number[]): number => percentiles(values.slice(values.length / 4)).p50;
  return { few: half(took.few), many: half(took.many) };
}

const small = await Fleet.found(few);
const large = await Fleet.found(many);
await small.issue();
const issuedPerSecond = await large.issue();
const live = await compare(large, small);
const rotatedPerSecond = await large.rotate();
const rotated = await compare(large, small);
const revokedPerSecond = await large.revoke(revoked);
const after = await compare(large, small);
const ratio = ({ many, few }: { many: number; few: number }): number => rounded(many / few);
print({
  ...machine(),
  identities: many, comparedWith: few, hops,
  issuedPerSecond, rotatedPerSecond, revokedPerSecond,
  hopP50Ms: { few: rounded(live.few), many: rounded(live.many) },
  hopRatio: { live: ratio(live), rotated: ratio(rotated), someRevoked: ratio(after) },
  targets,
  met: [live, rotated, after].every((one) => ratio(one) <= targets.hopRatio),
});
small.close();
large.close();
