// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import { SqliteEndorsementStore } from '../adapters/endorsement-store-sqlite.ts';
import { SqliteSidecarStore } from '../adapters/sidecar-store-sqlite.ts';
import type { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { SqliteIntentStore } from '../adapters/tool-intents-sqlite.ts';
import { noInjectionModel } from '../firewall/injection-model.ts';
import { leaseMsDefault } from '../identity/lease.ts';
import { verifyLease } from '../identity/lease-statement.ts';
import { createPeerVerifier, readTrustBundle, type PeerVerifier } from '../identity/peer.ts';
import type { Credential } from '../identity/credential.ts';
import { noJudge } from '../judge/judge.ts';
import { peersOf } from '../mandate/verify.ts';
import { createMandateVerifier } from '../mandate/verifier.ts';
import { svidLifetimes } from '../mesh/credential-lifetime.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { SignedEnvelope } from '../message/envelope.ts';
import { createCompliance } from '../policy/comply.ts';
import { agentSees } from '../process/codes.ts';
import { SidecarStanding } from '../process/sidecar-standing.ts';
import { plaintextProtection } from '../protection/protection.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { combine } from '../review/verdict.ts';
import { TokenBuckets } from '../scanner/rate.ts';
import { simulatedScanner } from './simulated-scanner.ts';
import { AgentApi } from '../sidecar/agent-api.ts';
import { AgentSidecar } from '../sidecar/agent-sidecar.ts';
import { Allotments } from '../sidecar/allotments.ts';
import type { SidecarContext } from '../sidecar/context.ts';
import { Endorsements } from '../sidecar/endorsements.ts';
import type { AgentMemory } from '../sidecar/memory.ts';
import type { SidecarStore } from '../sidecar/ports.ts';
import { SidecarRecorder } from '../sidecar/recording.ts';
import { reviewContent } from '../sidecar/review.ts';
import { createAdmission } from '../tool/admitted.ts';
import { createGate, type Deadline, type Gate, type GateContext } from '../tool/gate.ts';
import type { IntentStore } from '../tool/intent-store.ts';
import type { NodeFrame, SidecarFrame } from '../wire/frame.ts';
import { SimulatedFile } from './disk.ts';
import type { Ground } from './ground.ts';
import type { Acceptor } from './network.ts';
import { overlay } from './overlay.ts';
import { SimulatedLink, type AskedLease } from './simulated-link.ts';
import { SimulatedTool } from './simulated-tools.ts';
import { SkewedClock, type Life } from './world.ts';

const drainEveryMs = 1_000;

/** One run of a sidecar: made at a start, gone with a crash. */
export type SidecarRun = {
  readonly life: Life;
  readonly sidecar: AgentSidecar;
  readonly api: AgentApi;
  readonly link: SimulatedLink;
  readonly recorder: SidecarRecorder;
  readonly standing: SidecarStanding;
  readonly store: SidecarStore;
  readonly intents: IntentStore;
};

type Parts = {
  readonly life: Life;
  readonly database: BatchedDatabase;
  readonly store: SidecarStore;
  readonly intents: IntentStore;
  readonly standing: SidecarStanding;
  readonly link: SimulatedLink;
  readonly verifier: PeerVerifier;
  readonly recorder: SidecarRecorder;
};

/** The sidecar of one agent: real code over a simulated machine that crashes and comes back. */
export class SimulatedSidecar {
  readonly agent: string;
  readonly file: SimulatedFile;
  readonly clock: SkewedClock;
  readonly #ground: Ground;
  readonly #node: Acceptor;
  readonly #runs: string[] = [];
  #instance = 0;
  #run: SidecarRun | null = null;
  #memory: AgentMemory | null = null;
  #sessionKey: string | null = null;
  /** Looked at what a crash interrupted, once in a run. */
  #recovering: AgentSidecar | null = null;

  constructor(agent: string, ground: Ground, node: Acceptor) {
    this.agent = agent;
    this.#ground = ground;
    this.#node = node;
    this.file = new SimulatedFile(ground.world);
    this.clock = new SkewedClock(ground.world);
  }

  get run(): SidecarRun | null {
    return this.#run;
  }

  /** Of the agent's live session; null while it has none. */
  get memory(): AgentMemory | null {
    const memory = this.#memory;
    return memory !== null && this.#run?.sidecar.isLive(memory) === true ? memory : null;
  }

  get credential(): Credential {
    const known = this.#ground.identities.agents.get(this.agent) ?? [];
    const credential = known[Math.min(this.#instance, known.length - 1)];
    if (credential === undefined) throw new Error(`${this.agent} has no identity`);
    return credential;
  }

  /** True where it comes back as another instance; the authority issues a few of them only. */
  reissue(): boolean {
    const known = this.#ground.identities.agents.get(this.agent) ?? [];
    if (this.#instance + 1 >= known.length) return false;
    this.#instance += 1;
    this.#runs.length = 0;
    return true;
  }

  start(): void {
    const { world } = this.#ground;
    const life: Life = { alive: true };
    this.clock.started();
    this.#runs.push(mintUlid(this.clock, world.chance));
    const database = this.file.open(life);
    this.#run = this.#wire(life, database);
    const { sidecar, link, standing } = this.#run;
    world.every(leaseMsDefault / 3, life, () => link.askLease());
    world.every(drainEveryMs, life, () => {
      sidecar.context.allotments.drain().catch((failure: unknown) => this.#report(failure));
      sidecar.repeatAnswers();
      if (this.memory === null && standing.pace.clamp(this.agent).allows !== 'nothing') this.#openSession();
    });
  }

  crash(): void {
    if (this.#run !== null) this.#run.life.alive = false;
    this.#run = null;
    this.#memory = null;
  }

  #openSession(): void {
    const run = this.#run;
    if (run === null) return;
    const { sidecar } = run;
    const { chance } = this.#ground.world;
    // The agent's process may have survived its sidecar.
    const kept = this.#sessionKey === null || chance.hits(0.5) ? null : sidecar.authenticate(this.#sessionKey);
    if (kept !== null) {
      this.#memory = kept;
      return;
    }
    sidecar.mintToken()
      .then((token) => sidecar.openSession(token))
      .then((opened) => {
        this.#sessionKey = opened.ok ? opened.sessionKey : null;
        this.#memory = opened.ok ? sidecar.authenticate(opened.sessionKey) : null;
      })
      .catch((failure: unknown) => this.#report(failure));
  }

  #wire(life: Life, database: BatchedDatabase): SidecarRun {
    const { world, mesh, observed, weaken, network } = this.#ground;
    const { clock, agent } = this;
    const store = observed.store(agent, weaken.store(new SqliteSidecarStore(database)));
    const intents = this.#slow(weaken.intents(new SqliteIntentStore(database.database)), life);
    const verifier = this.#verifier();
    const standing: SidecarStanding = new SidecarStanding({
      agent, database, clock,
      monotonicMs: () => clock.monotonicMs(),
      policy: () => ({ digest: mesh.digest, version: 1 }),
      operators: () => mesh.operators,
      changed: () => sidecar.revocationsChanged(),
      verify: (signed, chain) => {
        if (chain !== null) verifier.verifyPem(chain);
        const grant = verifyLease(signed, (thumbprint) => verifier.byThumbprint(thumbprint));
        return grant?.holder === this.credential.spiffeId ? grant : null;
      },
      paceChanged: () => paceChanged(),
      observer: () => null,
      log: () => undefined,
    });
    const link = new SimulatedLink({
      agent, world, life, network, clock,
      node: this.#node,
      chainPem: () => this.credential.chainPem,
      hello: (nonce): SidecarFrame => ({
        kind: 'hello', meshDigest: mesh.digest, policyVersion: 1, isolation: 'container', runs: [...this.#runs], nonce,
      }),
      now: () => standing.now(),
      frame: (frame, asked) => this.#heard(frame, asked),
      lost: (code) => {
        recorder.numbers.lineLost();
        if (code === 'IDENTITY_REVOKED') standing.ended();
      },
    });
    const recorder = new SidecarRecorder(store, overlay(link, {}), this.#runs.at(-1) ?? '');
    const context = this.#context({ life, database, store, intents, standing, link, verifier, recorder });
    const sidecar = new AgentSidecar(context);
    const paceChanged = (): void => {
      link.askLease();
      const { version } = standing.pace;
      sidecar.clampChanged(version).then(
        (calls) => link.clamped(version, sidecar.isBusy, calls),
        (failure: unknown) => this.#report(failure),
      );
    };
    return { life, sidecar, api: new AgentApi(sidecar), link, recorder, standing, store, intents };
  }

  #heard(frame: NodeFrame, asked: AskedLease | null): void {
    const run = this.#run;
    if (run === null) return;
    const { sidecar, standing, recorder, store } = run;
    switch (frame.kind) {
      case 'welcome': {
        standing.welcomed(frame.boot);
        if (this.#recovering === sidecar) return sidecar.reconnected();
        this.#recovering = sidecar;
        sidecar.recover().catch((failure: unknown) => this.#report(failure));
        return;
      }
      case 'lease':
        recorder.numbers.heard(frame.accounts);
        return standing.heard({ signed: frame.signed, chain: frame.chain, asked });
      case 'revocations':
        return standing.update(frame);
      case 'decided':
        return sidecar.decided(frame);
      case 'deliver': {
        const { envelope, chain, number } = frame;
        const settle = (entries: readonly EntryDraft[]): void => {
          recorder.delivered(number, entries);
          this.#taken(envelope, entries, store);
        };
        return sidecar.deliver(envelope, chain, settle);
      }
      default:
        return undefined;
    }
  }

  #taken(envelope: SignedEnvelope, entries: readonly EntryDraft[], store: SidecarStore): void {
    const id = entries[0]?.message ?? null;
    const kept = id === null ? null : store.message(id);
    if (kept !== null && kept.state !== 'refused') this.#ground.observed.taken(this.agent, envelope);
  }

  #context(parts: Parts): SidecarContext {
    const { world, mesh, cedar, weaken, observed } = this.#ground;
    const { database, store, standing, verifier } = parts;
    const { clock } = this;
    const agent = mesh.agents.get(this.agent);
    if (agent === undefined) throw new Error(`${this.agent} is no agent`);
    const recorder = parts.recorder.under(1);
    const link = overlay(parts.link, {
      publish: async (publication) => {
        observed.published(publication.envelope);
        const answer = await parts.link.publish(publication);
        if (answer.accepted) observed.publicationAccepted(publication.envelope);
        return answer;
      },
    });
    const admission = createAdmission();
    const digestKey = world.chance.bytes(32);
    const lease = weaken.lease(standing);
    const pace = weaken.pace(standing.pace);
    const gate = this.#gate(parts, agent.tools, { admission, lease, pace, recorder }, () => context);
    const context: SidecarContext = {
      mesh, agent, clock, gate, admission, store, link, recorder, pace, lease,
      deadline: this.#deadline(parts.life),
      snapshots: { save: async () => undefined },
      numbers: parts.recorder.numbers,
      policy: { version: 1, isCurrent: () => true, next: async () => null },
      isolation: 'container',
      clockJumpedMs: () => clock.jumpedMs(),
      random: world.chance,
      protection: plaintextProtection,
      scanner: simulatedScanner(this.#ground, digestKey),
      firewall: { model: noInjectionModel },
      compliance: weaken.compliance(createCompliance(mesh, agent.role === 'EXECUTOR' ? cedar : null)),
      judge: noJudge,
      agentModel: null,
      judgeMemory: null,
      endorsements: new Endorsements(
        mesh.limits.approvalTimeoutMs, new SqliteEndorsementStore(database), clock.nowMs()),
      allotments: new Allotments({ agent: this.agent, mesh, store, link, clock }),
      rates: new TokenBuckets({ perSecond: 1e6, burst: 1e6 }),
      describeTools: () => [],
      // Nobody remembers in the simulation.
      knowledge: { ask: () => Promise.resolve(null) },
      credential: () => this.credential,
      peerByThumbprint: (thumbprint) => verifier.byThumbprint(thumbprint),
      learnPeer: (chainPem) => void verifier.verifyPem(chainPem),
      operators: () => mesh.operators,
      revocations: standing.revocations,
      verifyMandate: createMandateVerifier({
        mesh, clock,
        peer: peersOf(verifier),
        operatorKey: (name) => mesh.operators.get(name)?.publicKey ?? null,
        revocations: standing.revocations,
        isFresh: () => lease.coversPrivileged(),
      }),
      agentSees,
      spool: async (entries) => void (await recorder.record(entries)),
      report: (failure) => this.#report(failure),
      keyedDigest: (text) => createHmac('sha256', digestKey).update(text).digest('base64url'),
    };
    return context;
  }

  /** On simulated time: what a dead process waited for never comes. */
  #deadline(life: Parts['life']): Deadline {
    return {
      start: (afterMs) => {
        let cancel = (): void => undefined;
        const expired = new Promise<void>((resolve) => {
          cancel = this.#ground.world.after(afterMs, life, resolve);
        });
        return { expired, cancel };
      },
    };
  }

  #gate(
    { life, intents, store, standing }: Parts,
    tools: readonly string[],
    on: Pick<GateContext, 'admission' | 'lease' | 'pace' | 'recorder'>,
    context: () => SidecarContext,
  ): Gate {
    const { world, mesh } = this.#ground;
    const { clock } = this;
    const place = { agent: this.agent, life, intents, store, allows: () => standing.pace.clamp(this.agent).allows };
    return createGate({
      agent: this.agent, clock, intents, ...on,
      random: world.chance,
      runners: new Map(tools.map((tool) => [tool, new SimulatedTool(tool, this.#ground, place)])),
      deadline: this.#deadline(life),
      isCurrent: () => true,
      tools: mesh.tools,
      bounds: { sizeMax: 65_536, depthMax: mesh.limits.depthMax },
      review: async (value, { request, label }) => combine(await reviewContent({
        value, schemaId: null, type: null, channel: 'tool_result', classification: label.classification,
        integrity: label.integrity, risk: request.risk,
      }, context())),
    });
  }

  /** What the gate writes down takes the disk's time, before and after it is there. */
  #slow(intents: IntentStore, life: Life): IntentStore {
    const { world } = this.#ground;
    const pause = (): Promise<void> => world.wait(world.chance.between(0, this.file.mood.slowMs), life);
    const slowly = <Given extends readonly unknown[], Value>(
      work: (...given: Given) => Promise<Value>,
    ) => async (...given: Given): Promise<Value> => {
      await pause();
      const value = await work(...given);
      await pause();
      return value;
    };
    return overlay(intents, {
      begin: slowly((intent) => intents.begin(intent)),
      settle: slowly((key, outcome) => intents.settle(key, outcome)),
      markInDoubt: slowly((key, code) => intents.markInDoubt(key, code)),
      forget: slowly((key) => intents.forget(key)),
      reopen: slowly((key, atMs) => intents.reopen(key, atMs)),
    });
  }

  #verifier(): PeerVerifier {
    const { identities, mesh } = this.#ground;
    const verifier = createPeerVerifier(
      readTrustBundle(identities.bundlePem, mesh.trustDomain), this.clock, svidLifetimes(mesh));
    return verifier;
  }

  #report(failure: unknown): void {
    this.#ground.report(this.agent, failure);
  }
}
