// SPDX-License-Identifier: Apache-2.0
import type { PeerIdentity } from '../identity/credential.ts';
import { passedOn, type RevocationChange, type RevocationUpdate } from '../identity/revocation.ts';
import type { PolicyVersion } from '../mesh/policy-version.ts';
import type { Isolation } from '../message/envelope.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';
import type { TokenBuckets } from '../scanner/rate.ts';
import type { CallsFrame, NodeFrame, SidecarFrame } from '../wire/frame.ts';
import { admit, type AdmitContext } from './admit.ts';
import { thumbprintOf } from './signer-thumbprint.ts';
import { LinePolicy, type PolicySource } from './line-policy.ts';
import type { QueuedMessage } from './message-queue.ts';
import type { Backbone, Recipient } from './backbone.ts';
import { onBoundsFrame } from './bounds-frames.ts';
import { onEndTask } from './end-task.ts';
import type { ControlPort, Line } from './control-port.ts';
import { LineLeases, type BusPace } from './line-leases.ts';
import { onKeepFrame } from './keep-frame.ts';
import { answerOrchestrator, isRight, type OrchestratorFrame } from './workflow-frames.ts';
import { recordFor } from './record-frame.ts';
import { mayHold } from './may-hold.ts';
import { framesFor } from './put-aside.ts';
import { convictRefused } from './watch.ts';
import { onKeyFrame, type KeyContext } from './key-frames.ts';
import { onKnowledgeFrame } from './knowledge-frames.ts';
import { answerRenewal } from './renewal-frame.ts';
import { refusedLineEntries } from './refused-line.ts';
import { isForked } from './run.ts';

export type BusContext = AdmitContext & KeyContext & {
  readonly backbone: Backbone;
  readonly pace: BusPace;
  readonly policy: PolicySource;
  /** For entries that nobody waits on: gathered, durable a little later. */
  readonly patientRecorder: Recorder;
  /** Record frames of one sidecar, apart from its messages. */
  readonly recordRates: TokenBuckets;
  /** Requests of one sidecar for leases and certificates. */
  readonly askRates: TokenBuckets;
  readonly control: ControlPort;
  /** Agents with a live connection; one instance each. */
  readonly connected: Map<string, BusConnection>;
};

/** Steps of the revocation list in one frame: the largest statements still fit. */
const revocationsPerFrame = 100;

/** Publications of one line being made durable at once; a sidecar keeps to it or waits. */
const publicationsMax = 1024;

/**
 * One sidecar on the bus, acting for exactly one agent: the one its certificate names. Frames are
 * handled in the order they came.
 */
export class BusConnection {
  readonly peer: PeerIdentity;
  readonly leases: LineLeases;
  readonly #line: Line;
  readonly #context: BusContext;
  readonly #recipient: Recipient;
  readonly #policies: LinePolicy;
  readonly #chainsSent = new Set<string>();
  /** Said before it was welcome: first it has to take the versions that it lacks. */
  #waiting: Extract<SidecarFrame, { kind: 'hello' }> | null = null;
  #isolation: Isolation | null = null;
  /** Of the sidecar; null before its hello. */
  #run: string | null = null;
  #connectedSince: number | null = null;
  #publishing = 0;
  #ended = false;

  constructor(peer: PeerIdentity, line: Line, context: BusContext) {
    this.peer = peer;
    this.#line = line;
    this.#context = context;
    this.#recipient = { agent: peer.name, deliver: (message) => this.#deliver(message) };
    this.leases = new LineLeases(peer, line, context);
    this.#policies = new LinePolicy(context.policy, (frame) => this.#line.send(frame));
  }

  /** As the sidecar states it; null before its hello. */
  get isolation(): Isolation | null {
    return this.#isolation;
  }

  /** Milliseconds since 1970; null before the hello. */
  get connectedSince(): number | null {
    return this.#connectedSince;
  }

  /** Taken by the sidecar; 0 before its hello. */
  get policyVersion(): number {
    return this.#policies.version;
  }

  receive(frame: SidecarFrame): void {
    if (this.#ended) return;
    const isEarly = frame.kind === 'policy' ? !this.#policies.isOffered() : this.#isolation === null;
    if (frame.kind !== 'hello' && isEarly) return this.#violated('BUS_FRAME_MALFORMED');
    if (this.#context.revocations.isRevoked(this.peer)) return this.#refuseEnded(frame, 'IDENTITY_REVOKED');
    // A publication is refused, and recorded, by admission.
    if (frame.kind !== 'publish' && this.#isExpired()) {
      return this.#refuseEnded(frame, 'BUS_CREDENTIAL_EXPIRED');
    }
    switch (frame.kind) {
      case 'hello':
        return this.#hello(frame);
      case 'publish':
        return this.#publish(frame);
      case 'delivered':
        return this.#delivered(frame);
      case 'record':
        return this.#record(frame);
      case 'keep':
        return onKeepFrame(frame, this.peer.name, this.#line, this.#context);
      case 'hold':
        return this.#hold(frame);
      case 'end-task':
        return onEndTask(frame, this.peer.name, this.#line, this.#context);
      case 'allot':
      case 'settle':
        return onBoundsFrame(frame, this.peer.name, this.#line, this.#context);
      case 'bus-key':
      case 'release':
        return onKeyFrame(frame, this.peer, this.#line, this.#context);
      case 'knowledge':
        return onKnowledgeFrame(frame, this.peer, this.#line, this.#context);
      case 'calls':
      case 'call-settled':
      case 'call-undone':
        return this.#context.control.heardOfCalls(this.peer.name, frame);
      case 'renew':
      case 'lease':
      case 'spawn':
      case 'end-child':
      case 'change':
        return this.#asked(frame);
      case 'policy':
        return this.#policy(frame);
      case 'clamped': {
        const { paceVersion, busy, calls } = frame;
        return this.#context.control.clamped(this.peer.name, paceVersion, busy, calls);
      }
      default:
        return frame satisfies never;
    }
  }

  /**
   * A version that is in force from now on. Until the sidecar has taken it, nothing is delivered to
   * it, nothing that it judged before is admitted, and it has no lease.
   */
  policyApplied(policy: PolicyVersion): void {
    if (this.#ended || this.#isolation === null) return;
    this.#context.backbone.pause(this.#recipient);
    this.#policies.offer([policy]);
  }

  /** Tells the executor's sidecar what people decided, or asks it what they have to decide on. */
  tell(frame: Extract<NodeFrame, { kind: 'decided' | 'quarantine' | 'key-ahead' | CallsFrame['kind'] }>): void {
    if (!this.#ended) this.#line.send(frame, frame.kind === 'key-ahead');
  }

  /**
   * A step of the revocation list that holds from now on: this sidecar hears of it, and is cut off
   * where the step names it.
   */
  revocationApplied(change: RevocationChange): void {
    if (this.#ended) return;
    this.#revocations({ since: change.version - 1, version: change.version, changes: [change] });
    if (this.#context.revocations.isRevoked(this.peer)) this.#end('IDENTITY_REVOKED');
  }

  /** PACE changed what this agent may do; nothing is said where it did not. */
  paceChanged(): void {
    if (this.#ended || this.#isolation === null) return;
    if (this.leases.isNews(this.#context.pace.clamp(this.peer.name))) this.leases.paceChanged();
  }

  closed(): void {
    this.#ended = true;
    this.#context.backbone.unwatch(this.#recipient);
    const { connected } = this.#context;
    if (connected.get(this.peer.name) === this) connected.delete(this.peer.name);
  }

  #hello(frame: Extract<SidecarFrame, { kind: 'hello' }>): void {
    const { control, connected, policy } = this.#context;
    if (this.#run !== null) return this.#violated('BUS_FRAME_MALFORMED');
    if (policy.missing(frame.meshDigest, frame.policyVersion) === null) {
      return this.#refuse('BUS_MESH_MISMATCH');
    }
    const other = connected.get(this.peer.name);
    if (other !== undefined && other.peer.spiffeId !== this.peer.spiffeId) {
      return this.#refuse('BUS_ALREADY_CONNECTED');
    }
    const [run = ''] = frame.runs.slice(-1);
    this.#run = run;
    if (isForked(control.lastRun(this.peer.spiffeId), frame.runs)) {
      this.#refuse('BUS_IDENTITY_CLONED', 'COMPROMISE');
      return control.forked(this.peer);
    }
    if (other === undefined || other.#run === run) return this.#greet(frame);
    // Another run of the same sidecar: it crashed and its line lingers, or two are alive.
    other.#line.isAlive().then(
      (alive) => (alive ? this.#refuse('BUS_IDENTITY_CLONED', 'COMPROMISE') : this.#greet(frame)),
      () => this.#greet(frame),
    );
  }

  /** Welcome once it runs on the version in force; what it lacks of it is sent first. */
  #greet(frame: Extract<SidecarFrame, { kind: 'hello' }>): void {
    if (this.#ended) return;
    const missing = this.#context.policy.missing(frame.meshDigest, frame.policyVersion);
    if (missing === null) return this.#refuse('BUS_MESH_MISMATCH');
    if (missing.length === 0) return this.#welcome(frame);
    this.#waiting = frame;
    this.#policies.offer(missing);
  }

  /** The sidecar switched to a version, or refused it; then it stays shut out. */
  #policy({ version, code }: Extract<SidecarFrame, { kind: 'policy' }>): void {
    const { backbone } = this.#context;
    if (code !== null) return this.#refuse('BUS_POLICY_STALE');
    const standing = this.#policies.took(version);
    if (standing === 'forged') return this.#violated('BUS_FRAME_MALFORMED');
    if (standing === 'behind') return;
    if (this.#waiting === null) return backbone.resume(this.#recipient);
    this.#welcome(this.#waiting);
  }

  #welcome(frame: Extract<SidecarFrame, { kind: 'hello' }>): void {
    const { mesh, policy, control, connected, backbone } = this.#context;
    if (this.#ended) return;
    this.#waiting = null;
    this.#policies.welcomed();
    // Ended, not only forgotten: a line nobody listens to would leave its sidecar without an answer.
    const other = connected.get(this.peer.name);
    if (other !== undefined) other.#end('BUS_ALREADY_CONNECTED');
    control.noteRun(this.peer.spiffeId, this.#run ?? '');
    this.#isolation = frame.isolation;
    this.#connectedSince = this.#context.clock.nowMs();
    connected.set(this.peer.name, this);
    for (const part of this.#context.revocations.updates(revocationsPerFrame)) {
      this.#revocations(part);
    }
    this.leases.answer({ number: 0, policyVersion: policy.version, nonce: frame.nonce });
    for (const part of framesFor(this.peer.name, control)) this.#line.send(part);
    this.#line.send({
      kind: 'welcome',
      boot: control.boot,
      meshDigest: mesh.digest,
      policyVersion: policy.version,
      operators: control.operators(),
    });
    for (const owed of control.owedTo(this.peer.name)) this.#line.send(owed);
    backbone.watch(this.#recipient);
  }

  #publish(frame: Extract<SidecarFrame, { kind: 'publish' }>): void {
    const { number } = frame;
    if (this.#publishing >= publicationsMax) {
      this.#line.send({ kind: 'refused', number, code: 'BUS_RATE_LIMITED' });
      return;
    }
    this.#publishing += 1;
    admit(this.peer, frame, this.#context).then(
      (admission) => {
        this.#publishing -= 1;
        if (admission.answer === 'accepted') {
          this.#line.send({ kind: 'accepted', number });
          if (admission.message !== null) this.#context.backbone.publish(admission.message);
          return;
        }
        this.#line.send({ kind: 'refused', number, code: admission.code });
        if (admission.drop) this.#end(admission.code);
      },
      () => {
        // The disk failed twice: neither admitted nor withdrawn for certain. The sender may repeat.
        this.#publishing -= 1;
        this.#line.send({ kind: 'refused', number, code: 'BUS_UNAVAILABLE' });
      },
    );
  }

  #deliver(message: QueuedMessage): void {
    if (this.#isExpired()) return this.#end('BUS_CREDENTIAL_EXPIRED');
    if (this.#context.control.isPutAside(this.peer.name, message.id)) {
      return this.#context.backbone.acknowledge(this.#recipient, message.position);
    }
    const thumbprint = thumbprintOf(message.envelope);
    const known = thumbprint === null || this.#chainsSent.has(thumbprint);
    const chain = known ? null : this.#context.control.chainOf(thumbprint);
    if (thumbprint !== null) this.#chainsSent.add(thumbprint);
    this.#line.send({
      kind: 'deliver',
      number: message.position,
      envelope: message.envelope,
      chain,
    });
  }

  /** The recipient has the message durably; its account of the step is recorded, then it is done. */
  #delivered(frame: Extract<SidecarFrame, { kind: 'delivered' }>): void {
    const { patientRecorder, backbone } = this.#context;
    if (!backbone.isUnderWay(this.#recipient, frame.number) || !this.#speaksOfItself(frame.entries)) {
      return this.#violated('BUS_ENTRY_FORGED');
    }
    const convicted = convictRefused(this.peer.name, frame.entries, this.#context);
    const recorded = this.leases.accounts.begin(() => backbone.acknowledge(this.#recipient, frame.number));
    patientRecorder.record([...frame.entries, ...convicted]).then(
      recorded,
      () => {
        // Refused for what it says. The message stays in flight: handing it over again now would
        // turn in a circle. It comes again on the next connection.
        return undefined;
      },
    );
  }

  #record(frame: Extract<SidecarFrame, { kind: 'record' }>): void {
    const { number } = frame;
    if (!this.#speaksOfItself(frame.entries)) return this.#violated('BUS_ENTRY_FORGED');
    recordFor(this.peer, frame, this.#context).then(
      (code) => this.#line.send({ kind: 'recorded', number, code }),
      () => this.#line.send({ kind: 'recorded', number, code: 'RECORDER_NOT_DURABLE' }),
    );
  }

  #hold(frame: Extract<SidecarFrame, { kind: 'hold' }>): void {
    const { number, hold } = frame;
    if (!mayHold(hold, this.peer.name, this.#context.mesh)) return this.#violated('BUS_ENTRY_FORGED');
    this.#context.control.hold(hold).then(
      ({ approval }) => {
        this.#line.send({ kind: 'held', number, approval });
        const decided = this.#context.control.decided(hold.message, hold.executor, hold.digest);
        if (decided !== null) this.#line.send(decided);
      },
      () => this.#line.send({ kind: 'refused', number, code: 'BUS_UNAVAILABLE' }),
    );
  }

  /** A sidecar asks for both a few times a minute; one that asks without end is not answered. */
  #asked(frame: OrchestratorFrame | Extract<SidecarFrame, { kind: 'renew' | 'lease' }>): void {
    const { askRates, clock } = this.#context;
    if (!askRates.take(this.peer.name, clock.nowMs())) {
      this.#line.send({ kind: 'refused', number: frame.number, code: 'BUS_RATE_LIMITED' });
    } else if (isRight(frame) && this.#context.pace.clamp(this.peer.name).allows !== 'all') {
      this.#line.send({ kind: 'refused', number: frame.number, code: 'PACE_STOPPED' });
    } else if (frame.kind === 'renew') {
      void answerRenewal(frame, this.peer, this.#context.control).then(this.#line.send);
    } else if (frame.kind === 'lease') this.leases.answer(frame);
    else void answerOrchestrator(frame, this.peer, this.#context.control).then(this.#line.send);
  }

  #revocations(update: RevocationUpdate): void {
    this.#line.send({ kind: 'revocations', ...update, changes: update.changes.map(passedOn) });
  }

  /** The certificate was good for the handshake; a line must not outlive it. */
  #isExpired(): boolean {
    return !(this.#context.clock.nowMs() < this.peer.expiresAtMs);
  }

  /** The identity ended since it connected, or between the handshake and now. */
  #refuseEnded(frame: SidecarFrame, code: 'IDENTITY_REVOKED' | 'BUS_CREDENTIAL_EXPIRED'): void {
    if (frame.kind === 'record') this.#line.send({ kind: 'recorded', number: frame.number, code });
    else if ('number' in frame) this.#line.send({ kind: 'refused', number: frame.number, code });
    this.#end(code);
  }

  /** A sidecar may record only what its own agent or it itself did. */
  #speaksOfItself(entries: readonly EntryDraft[]): boolean {
    const own = new Set([`agent:${this.peer.name}`, `sidecar:${this.peer.name}`]);
    return entries.every((entry) => own.has(entry.actor));
  }

  /** What an honest sidecar never sends: evidence that this one is taken over. */
  #violated(code: string): void {
    this.#refuse(code, 'COMPROMISE');
  }

  #refuse(code: string, indicator: 'COMPROMISE' | null = null): void {
    if (this.#ended) return;
    const { clock, control, recorder } = this.#context;
    const at = { boot: control.boot, nowMs: clock.nowMs() };
    recorder.record(refusedLineEntries(this.peer, code, indicator, at)).catch(() => {
      // The refusal stands; the recorder has said by itself that it is unavailable.
      return undefined;
    });
    this.#end(code);
  }

  #end(code: string): void {
    if (this.#ended) return;
    this.closed();
    this.#line.drop(code);
  }
}
