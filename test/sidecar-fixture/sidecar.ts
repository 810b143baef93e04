// SPDX-License-Identifier: Apache-2.0
import type { ChangeRequest, SpawnRequest } from '../../src/wire/frame.ts';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { SqliteEndorsementStore } from '../../src/adapters/endorsement-store-sqlite.ts';
import { SqliteJudgeMemory } from '../../src/adapters/judge-memory-sqlite.ts';
import { BatchedDatabase } from '../../src/adapters/sqlite-batch.ts';
import { SqliteSidecarStore } from '../../src/adapters/sidecar-store-sqlite.ts';
import { timerDeadline } from '../../src/adapters/tool-deadline.ts';
import type { AllotmentAnswer } from '../../src/bounds/allot.ts';
import type { AllotmentAsk, AllotmentReport } from '../../src/bounds/ask.ts';
import { noInjectionModel } from '../../src/firewall/injection-model.ts';
import type { Credential, PeerIdentity } from '../../src/identity/credential.ts';
import { RevocationList } from '../../src/identity/revocation.ts';
import { signEnvelope } from '../../src/identity/sign-envelope.ts';
import { Endorsements } from '../../src/sidecar/endorsements.ts';
import { EntryNumbers } from '../../src/sidecar/entry-numbers.ts';
import { noLimits, type MandateTerms, type Right } from '../../src/mandate/mandate.ts';
import { issueMandate } from '../../src/mandate/narrow.ts';
import { createMandateVerifier, type MandateVerifier } from '../../src/mandate/verifier.ts';
import { noJudge } from '../../src/judge/judge.ts';
import { freshContext } from '../../src/label/context.ts';
import type { Agent, Mesh } from '../../src/mesh/mesh.ts';
import type { EnvelopeBody, SignedEnvelope } from '../../src/message/envelope.ts';
import { mintNonce, mintUlid } from '../../src/message/identifiers.ts';
import type { Hold } from '../../src/oversight/hold.ts';
import { primaryPace } from '../../src/pace/pace-view.ts';
import type { ComplianceRequest } from '../../src/policy/comply.ts';
import { plaintextProtection } from '../../src/protection/protection.ts';
import { RecorderError, type EntryDraft, type Recorder } from '../../src/recorder/entry.ts';
import type { Outcome } from '../../src/review/verdict.ts';
import { finding } from '../../src/review/verdict.ts';
import { TokenBuckets } from '../../src/scanner/rate.ts';
import { scannerFor } from './scanner.ts';
import { Allotments } from '../../src/sidecar/allotments.ts';
import type { SidecarContext } from '../../src/sidecar/context.ts';
import type { BusLink, KeptRead, PublishAnswer } from '../../src/sidecar/ports.ts';
import type { KnowledgePort } from '../../src/sidecar/knowledge.ts';
import type { KnowledgeAnswer, KnowledgeAsk } from '../../src/knowledge/asks.ts';
import { createAdmission, type AdmissionFields } from '../../src/tool/admitted.ts';
import { withoutResult, type GateOutcome } from '../../src/tool/gate-outcome.ts';
import type { Gate } from '../../src/tool/gate.ts';
import { agentSees } from '../../src/process/codes.ts';
import { operatorKey } from '../mesh-harness/attack-mesh.ts';
import { sampleMesh } from '../mesh-files/sample.ts';

const rootKey = operatorKey();
/** Of the sidecar under test, in the place of a ULID. */
const fixtureRun = 'R'.repeat(26);

/** A key and the identity that a verified certificate would show for it. */
export type Party = { readonly credential: Credential; readonly peer: PeerIdentity };

export function partyOf(agent: string, expiresAtMs = 2e12): Party {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const spiffeId = `spiffe://example.test/agent/${agent}/one`;
  const thumbprint = createHash('sha256').update(randomBytes(16)).digest('base64url');
  const lifetime = { spiffeId, thumbprint, notBeforeMs: startMs - 1000, expiresAtMs, lineage: null };
  return {
    credential: { ...lifetime, chainPem: '', privateKey },
    peer: { ...lifetime, kind: 'agent', name: agent, publicKey },
  };
}

export const startMs = 1_800_000_000_000;
export const random = { bytes: (count: number) => new Uint8Array(randomBytes(count)) };

/** A recorder in memory that can be broken; `isBroken` sees what is to be recorded. */
export class FakeRecorder implements Recorder {
  readonly entries: EntryDraft[] = [];
  isBroken: (entries: readonly EntryDraft[], privileged: boolean) => boolean = () => false;

  async record(
    entries: readonly EntryDraft[],
    options: { readonly privileged?: boolean } = {},
  ): Promise<readonly { readonly sequence: number }[]> {
    await Promise.resolve();
    if (this.isBroken(entries, options.privileged === true)) {
      throw new RecorderError('RECORDER_NOT_DURABLE', 'broken by the test');
    }
    this.entries.push(...entries);
    return entries.map((_, index) => ({ sequence: index }));
  }

  codes(kind: EntryDraft['kind']): readonly (string | null)[] {
    return this.entries.filter((entry) => entry.kind === kind).map((entry) => entry.code);
  }
}

/** A line to the node that answers what the test says. */
export class FakeLink implements BusLink {
  standing(): Promise<void> {
    return Promise.resolve();
  }

  readonly published: { readonly envelope: SignedEnvelope; readonly entry: EntryDraft }[] = [];
  readonly held: Hold[] = [];
  answer: () => PublishAnswer | Promise<PublishAnswer> = () => ({ accepted: true });
  holdAnswer: () => string | null = () => 'approval-1';

  async publish(publication: Parameters<BusLink['publish']>[0]): Promise<PublishAnswer> {
    this.published.push(publication);
    return this.answer();
  }

  async record(): Promise<string | null> {
    return null;
  }

  readonly kept: KeptRead[] = [];
  keepAnswer: () => string | null = () => null;

  async keep(read: KeptRead): Promise<string | null> {
    this.kept.push(read);
    return this.keepAnswer();
  }

  readonly ended: string[] = [];
  endAnswer: () => string | null = () => null;

  async endTask(task: string): Promise<string | null> {
    this.ended.push(task);
    return this.endAnswer();
  }

  delivered(): boolean {
    // The tests look at what `deliver` settles.
    return true;
  }

  readonly spawns: SpawnRequest[] = [];
  spawnAnswer: () => Awaited<ReturnType<BusLink['spawn']>> = () => ({ code: 'CONTROL_SPAWN_DENIED' });

  async spawn(request: SpawnRequest): Promise<Awaited<ReturnType<BusLink['spawn']>>> {
    this.spawns.push(request);
    return this.spawnAnswer();
  }

  readonly changes: ChangeRequest[] = [];
  changeAnswer: () => Awaited<ReturnType<BusLink['changeWorkflow']>> = () => ({ code: 'CONTROL_WORKFLOW_DENIED' });

  async changeWorkflow(request: ChangeRequest): Promise<Awaited<ReturnType<BusLink['changeWorkflow']>>> {
    this.changes.push(request);
    return this.changeAnswer();
  }

  async endChild(): Promise<number | null> {
    return 0;
  }

  async hold(hold: Hold): Promise<string | null> {
    this.held.push(hold);
    return this.holdAnswer();
  }

  readonly asked: AllotmentAsk[] = [];
  readonly reported: AllotmentReport[] = [];
  allots: (ask: AllotmentAsk) => AllotmentAnswer | null = () => ({ outcome: 'granted', probe: false });
  hears: () => boolean = () => true;

  async allot(ask: AllotmentAsk): Promise<AllotmentAnswer | null> {
    this.asked.push(ask);
    return this.allots(ask);
  }

  async settle(reports: readonly AllotmentReport[]): Promise<boolean> {
    if (!this.hears()) return false;
    this.reported.push(...reports);
    return true;
  }

  bodies(): readonly EnvelopeBody[] {
    return this.published.map(({ envelope }) => bodyOf(envelope));
  }
}

export function bodyOf(envelope: SignedEnvelope): EnvelopeBody {
  return JSON.parse(Buffer.from(envelope.split('.')[1] ?? '', 'base64url').toString('utf8'));
}

/** A node that keeps nothing: it notes what it is asked and answers as a test says. */
export class FakeKnowledge implements KnowledgePort {
  readonly asks: KnowledgeAsk[] = [];
  answers: (ask: KnowledgeAsk) => KnowledgeAnswer | null = () => ({ ok: true, items: [] });

  async ask(ask: KnowledgeAsk): Promise<KnowledgeAnswer | null> {
    this.asks.push(ask);
    return this.answers(ask);
  }
}

/** The sidecar of one agent of the sample mesh with everything around it faked. */
export class FakeSidecar {
  readonly clock = { ms: startMs, nowMs: () => this.clock.ms };
  readonly database = new BatchedDatabase(':memory:');
  readonly store = new SqliteSidecarStore(this.database);
  readonly recorder = new FakeRecorder();
  readonly link = new FakeLink();
  readonly knowledge = new FakeKnowledge();
  readonly numbers = new EntryNumbers(fixtureRun);
  readonly calls: AdmissionFields[] = [];
  readonly faults: unknown[] = [];
  readonly snapshots = new Map<string, string>();
  readonly party: Party;
  readonly context: SidecarContext;
  readonly #peers = new Map<string, PeerIdentity>();
  readonly #verifyMandate: MandateVerifier;
  ran: (fields: AdmissionFields) => Partial<GateOutcome> | Promise<Partial<GateOutcome>> = () => ({});
  ended: Gate['endOf'] = () => null;
  followed: Gate['isFollowedBy'] = () => false;
  complies: (request: ComplianceRequest) => Outcome = () => 'GO';

  constructor(name: string, change: Partial<SidecarContext> = {}, mesh: Mesh = sampleMesh()) {
    const agent = mesh.agents.get(name) as Agent;
    this.party = partyOf(name);
    const admission = createAdmission();
    this.context = {
      policy: { version: 1, isCurrent: () => true, next: async () => null },
      mesh,
      agent,
      isolation: 'uid',
      clock: this.clock,
      deadline: timerDeadline,
      clockJumpedMs: () => 0,
      random,
      protection: plaintextProtection,
      pace: primaryPace,
      scanner: scannerFor(mesh),
      firewall: { model: noInjectionModel },
      compliance: {
        review: (request) => {
          const outcome = this.complies(request);
          const findings = outcome === 'GO' ? [] : [finding('POLICY_CAP_EXCEEDED', 'test')];
          return { outcome, control: 'policy-compliance', version: 'test', tookUs: 0, findings };
        },
      },
      judge: noJudge,
      agentModel: null,
      judgeMemory: new SqliteJudgeMemory(this.database),
      endorsements: new Endorsements(
        mesh.limits.approvalTimeoutMs,
        new SqliteEndorsementStore(this.database),
        startMs,
      ),
      allotments: new Allotments({
        agent: name, mesh, store: this.store, link: this.link, clock: this.clock,
      }),
      gate: {
        call: async ({ fields }) => {
          this.calls.push(fields);
          const ran = await this.ran(fields);
          const done = { ...withoutResult('FAILED', null), status: 'DONE', label: freshContext.label };
          return { ...done, entry: `${fields.id}.ran`, ...ran } as GateOutcome;
        },
        recover: async () => [],
        inDoubt: () => [],
        endOf: (asked) => this.ended(asked),
        isFollowedBy: (...asked) => this.followed(...asked),
        abort: () => [],
        isBusy: () => false,
      },
      admission,
      rates: new TokenBuckets({ perSecond: 1e6, burst: 1e6 }),
      describeTools: () => [],
      knowledge: this.knowledge,
      store: this.store,
      snapshots: { save: async (id, text) => void this.snapshots.set(id, text) },
      link: this.link,
      credential: () => this.party.credential,
      peerByThumbprint: (thumbprint) => this.#peers.get(thumbprint) ?? null,
      learnPeer: () => undefined,
      operators: () => mesh.operators,
      revocations: new RevocationList([], 0, startMs),
      lease: { isValid: () => true, coversPrivileged: () => true },
      recorder: this.recorder,
      numbers: this.numbers,
      agentSees,
      spool: async (entries) => {
        await this.recorder.record(entries);
      },
      report: (failure) => void this.faults.push(failure),
      keyedDigest: (text) => createHash('sha256').update(text).digest('base64url'),
      verifyMandate: (chain, presented) => this.#verifyMandate(chain, presented),
      ...change,
    };
    this.#verifyMandate = createMandateVerifier({
      mesh,
      clock: this.clock,
      peer: (thumbprint) => this.#peers.get(thumbprint) ?? null,
      operatorKey: (operator) => (operator === 'root' ? rootKey.publicJwk : null),
      revocations: this.context.revocations,
      isFresh: () => this.context.lease.coversPrivileged(),
    });
  }

  knows(party: Party): void {
    this.#peers.set(party.peer.thumbprint, party.peer);
  }

  /** An envelope for this sidecar's agent; whatever `change` says was signed that way. */
  envelopeFrom(party: Party, change: Partial<EnvelopeBody> = {}): SignedEnvelope {
    return signEnvelope(this.bodyFrom(party, change), party.credential);
  }

  bodyFrom(party: Party, change: Partial<EnvelopeBody> = {}): EnvelopeBody {
    const issuedAt = this.clock.ms;
    return {
      v: 1,
      id: mintUlid(this.clock, random),
      type: 'data',
      schema: 'invoice/1',
      from: party.peer.name,
      instance: party.peer.spiffeId,
      to: this.context.agent.name,
      domain: 'billing',
      task: mintUlid(this.clock, random),
      hop: 1,
      causes: { digest: freshContext.digest, count: 0 },
      inReplyTo: null,
      label: { classification: 'internal', integrity: 'internal', origins: [`agent:${party.peer.name}`] },
      sources: {},
      provenance: { source: 'agent', isolation: 'uid' },
      epistemic: null,
      metadata: {},
      issuedAt,
      expiresAt: issuedAt + 60_000,
      nonce: mintNonce(random),
      mandate: null,
      principals: [],
      goalHash: null,
      payload: { text: 'an invoice' },
      ...change,
    };
  }

  /** A first mandate for a task, which an operator gave to this agent; `terms` change it. */
  mandateFor(agent: string, task: string, terms: Partial<MandateTerms> = {}): string {
    const { mesh, agent: executor } = this.context;
    const rights = [...mesh.actions.keys()].map((action): Right => ({
      right: 'request', executor: executor.name, action, constraints: {}, limits: noLimits,
    }));
    const oispec = mesh.agents.get(agent)?.oispec?.digest ?? null;
    const issued = issueMandate(
      {
        audience: agent, task, sponsor: 'root', rights, notBefore: this.clock.ms,
        expiresAt: this.clock.ms + 3_600_000, output: null, maxDepth: 2, approval: null, oispec,
        ...terms,
      },
      { kind: 'operator', name: 'root', privateKey: rootKey.privateKey },
    );
    if (!issued.ok) throw new Error(`${issued.code} ${issued.path}`);
    return issued.chain;
  }

  /** An action request as `payments` receives it. */
  requestFrom(
    party: Party,
    wanted: { readonly action?: string; readonly key?: string; readonly parameters?: object } = {},
    change: Partial<EnvelopeBody> = {},
  ): SignedEnvelope {
    const { action = 'pay_invoice', key = 'key-1', parameters } = wanted;
    const payload = {
      action,
      parameters: { invoice: '42', payee: 'ACME', amount: 100, ...parameters },
      idempotencyKey: key,
      evidence: [],
    };
    const { task = mintUlid(this.clock, random) } = change;
    const mandate = this.mandateFor(party.peer.name, task);
    const request = { type: 'instruction', schema: 'action-request/1', payload } as const;
    return this.envelopeFrom(party, { ...request, task, mandate, ...change });
  }
}

/** Lets everything that waits on promises and on the database's group commit go on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
