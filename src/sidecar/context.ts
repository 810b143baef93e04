// SPDX-License-Identifier: Apache-2.0
import type { ContentShape } from '../anomaly/content-shape.ts';
import type { Credential, PeerIdentity } from '../identity/credential.ts';
import type { RevocationView } from '../identity/revocation.ts';
import type { InjectionModel } from '../firewall/injection-model.ts';
import type { FirewallTiming } from '../firewall/answers.ts';
import type { Judge } from '../judge/judge.ts';
import type { JudgeMemory } from '../judge/judge-memory.ts';
import type { MandateVerifier } from '../mandate/verifier.ts';
import type { Agent, Mesh, Operator } from '../mesh/mesh.ts';
import type { Clock, Random } from '../message/clock.ts';
import type { JsonObject } from '../message/json.ts';
import type { Isolation } from '../message/envelope.ts';
import type { PaceView } from '../pace/pace-view.ts';
import type { SealingProtection } from '../protection/protection.ts';
import type { Compliance } from '../policy/comply.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';
import type { AgentCode } from '../review/code.ts';
import type { TokenBuckets } from '../scanner/rate.ts';
import type { Scanner } from '../scanner/scan.ts';
import type { Admission } from '../tool/admitted.ts';
import type { Deadline, Gate } from '../tool/gate.ts';
import type { AgentModel } from './agent-model.ts';
import type { Allotments } from './allotments.ts';
import type { Endorsements } from './endorsements.ts';
import type { EntryNumbers } from './entry-numbers.ts';
import type { KnowledgePort } from './knowledge.ts';
import type { BusLink, SidecarStore } from './ports.ts';
import type { SnapshotStore } from './snapshot.ts';
import type { LeaseView } from './standing.ts';

/** The version of the policy that a context stands for, and what comes after it. */
export type PolicyView = {
  readonly version: number;
  /** False as soon as the node said that a newer one is in force: nothing begins under this one. */
  readonly isCurrent: () => boolean;
  /** The context that replaces this one, once it is there; null when none comes in time. */
  readonly next: () => Promise<SidecarContext | null>;
};

/**
 * Everything the sidecar of one agent works with under one version of the policy; wired in one place.
 * A step is given one context and keeps to it: it sees the old version or the new one, never half.
 */
export type SidecarContext = {
  readonly policy: PolicyView;
  readonly mesh: Mesh;
  readonly agent: Agent;
  readonly isolation: Isolation;
  readonly clock: Clock;
  /** How far the wall clock moved against the monotonic one since the start, either way. */
  readonly clockJumpedMs: () => number;
  readonly random: Random;
  /** Seals what leaves and opens what comes in domains that ask for it. */
  readonly protection: SealingProtection;
  readonly pace: PaceView;
  readonly scanner: Scanner;
  /** `timing` must be there with a configured model; without it every review is refused. */
  readonly firewall: { readonly model: InjectionModel; readonly timing?: FirewallTiming };
  readonly compliance: Compliance;
  readonly judge: Judge;
  /** The model that the agent thinks with; null where it has none through its sidecar. */
  readonly agentModel: AgentModel | null;
  /** Null where nobody judges. */
  readonly judgeMemory: JudgeMemory | null;
  readonly endorsements: Endorsements;
  /** Asks the owner of caps and bounds; nothing runs without. */
  readonly allotments: Allotments;
  readonly gate: Gate;
  /** Ends what an agent waits for. */
  readonly deadline: Deadline;
  /** The capability to admit; held by `sidecar/inbound` and nothing else. */
  readonly admission: Admission;
  readonly rates: TokenBuckets;
  /** The agent's tools as pinned: what it may read of them. */
  readonly describeTools: () => readonly JsonObject[];
  readonly store: SidecarStore;
  /** Keeps what the agent stood in when it was contained or ended. */
  readonly snapshots: SnapshotStore;
  readonly link: BusLink;
  /** Memory and knowledge, which the node keeps. */
  readonly knowledge: KnowledgePort;
  /** The present SVID; rotation replaces it. */
  readonly credential: () => Credential;
  /** Verifies a sender's chain against the bundle; null when it does not hold. */
  readonly peerByThumbprint: (thumbprint: string) => PeerIdentity | null;
  readonly learnPeer: (chainPem: string) => void;
  /** Who is revoked, as far as this sidecar has heard; never older than it was. */
  readonly revocations: RevocationView;
  /** Believes a mandate, or says why not. */
  readonly verifyMandate: MandateVerifier;
  /** The lease on HIGH and CRITICAL work. */
  readonly lease: LeaseView;
  readonly operators: () => ReadonlyMap<string, Operator>;
  readonly recorder: Recorder;
  /** For entries that go another way than through the recorder. */
  readonly numbers: EntryNumbers;
  /** What the agent's texts are usually made of; absent: content is not measured. */
  readonly shape?: ContentShape;
  readonly agentSees: (code: string) => AgentCode;
  /** Makes entries durable here; they reach the recorder as soon as the node can be asked. */
  readonly spool: (entries: readonly EntryDraft[]) => Promise<void>;
  /** Says that the sidecar itself failed at something; never holds a payload. */
  readonly report: (failure: unknown) => void;
  /** HMAC-SHA256 under a key of this sidecar, base64url: equal values are seen, none is shown. */
  readonly keyedDigest: (text: string) => string;
};
