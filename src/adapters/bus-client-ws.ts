// SPDX-License-Identifier: Apache-2.0
import { WebSocket } from 'ws';
import type { AllotmentAnswer } from '../bounds/allot.ts';
import type { AllotmentAsk, AllotmentReport } from '../bounds/ask.ts';
import type { NewKey } from '../protection/protection.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { payloadPieces } from '../recorder/payload-keeper.ts';
import type {
  BusLink, ChangedAnswer, KeptRead, PublishAnswer, SpawnedAnswer,
} from '../sidecar/ports.ts';
import type { Hold } from '../oversight/hold.ts';
import { stoppedCallsMax, type StoppedCall } from '../pace/stopped-call.ts';
import { keptPiecesMax } from '../wire/frame.ts';
import type { ChangeRequest, NodeFrame, SidecarFrame, SpawnRequest } from '../wire/frame.ts';
import { PolicyParts } from '../wire/policy-parts.ts';
import { parseNodeFrame } from '../wire/parse-frame.ts';
import { lineOptions, type BusClientOptions, type LeaseAnswer } from './bus-client-options.ts';
import { corkedSender } from './corked-sender.ts';
import { intermediateHeaders } from './presented-chain.ts';
import { clientTlsOptions } from './tls-options.ts';

type Publication = Parameters<BusLink['publish']>[0];
type Pending = {
  readonly publication: Publication;
  readonly settle: (answer: PublishAnswer) => void;
  /** Already sent on some connection: the next time it is a repeat. */
  sent: boolean;
};
type Ask = {
  readonly settle: (frame: NodeFrame | null) => void;
  readonly untilMs: number;
};

const backoffMsMin = 25;
const backoffMsMax = 2_000;
const sweepMs = 500;
/** How long a privileged step waits for a line that is being made anew. */
const standingMsMax = 1_500;
/** A revoked identity asks now and then whether it was reinstated. */
const revokedBackoffMs = 5_000;
/** What is asked of the node and not answered for so long is refused; the node may be stopped. */
const askTimeoutMs = 5_000;
/** Messages whose answer from the node is awaited at once; more are refused, not remembered. */
const publicationsWaitingMax = 10_000;
/** A child is there once its sidecar serves. */
const spawnTimeoutMs = 40_000;
/** Closing codes after which trying again cannot help. */
const fatalCodes: ReadonlySet<string> = new Set(['BUS_MESH_MISMATCH']);

/**
 * The sidecar's line to its node. Reconnects with a growing delay, repeats publications whose answer
 * never came, and answers everything else at once with "unreachable" while there is no line.
 */
export class BusClient implements BusLink {
  readonly #options: BusClientOptions;
  readonly #publications = new Map<number, Pending>();
  readonly #asks = new Map<number, Ask>();
  readonly #leasesAsked = new Map<number, NonNullable<LeaseAnswer['asked']>>();
  readonly #awaitingLine = new Set<() => void>();
  #number = 0;
  #webSocket: WebSocket | null = null;
  #send: ((frame: SidecarFrame) => void) | null = null;
  #backoffMs = backoffMsMin;
  #sweep: NodeJS.Timeout | null = null;
  #closed = false;
  /** Hears which new data key the next message is under; see `KeyPort`. */
  onKeyAhead: (ahead: NewKey) => void = () => undefined;

  constructor(options: BusClientOptions) {
    this.#options = options;
  }

  start(): void {
    // Keeps the process alive: nothing else does while a sidecar waits for a node that is away.
    this.#sweep = setInterval(() => this.#expire(), sweepMs);
    this.#connect();
  }

  get connected(): boolean {
    return this.#send !== null;
  }

  publish(publication: Publication): Promise<PublishAnswer> {
    if (this.#publications.size >= publicationsWaitingMax) {
      return Promise.resolve({ accepted: false, code: 'SIDECAR_BUS_UNREACHABLE' });
    }
    return new Promise((resolve) => {
      const number = ++this.#number;
      const pending: Pending = { publication, settle: resolve, sent: publication.resend };
      this.#publications.set(number, pending);
      this.#sendPublication(number, pending);
    });
  }

  async record(
    entries: readonly EntryDraft[],
    privileged: boolean,
    policyVersion: number,
  ): Promise<string | null> {
    const answer = await this.ask((number) => (
      { kind: 'record', number, privileged, policyVersion, entries }
    ));
    return answer?.kind === 'recorded' ? answer.code : 'SIDECAR_BUS_UNREACHABLE';
  }

  async keep({ payload, ...read }: KeptRead): Promise<string | null> {
    const { parts, pieces } = payloadPieces(payload);
    for (let first = 0; first < parts; first += keptPiecesMax) {
      const some = pieces.slice(first, first + keptPiecesMax);
      const text = some.map((piece) => Buffer.from(piece).toString('base64'));
      const answer = await this.ask((number) => (
        { kind: 'keep', number, read, first, parts, pieces: text }
      ));
      const code = answer?.kind === 'recorded' ? answer.code : 'SIDECAR_BUS_UNREACHABLE';
      if (code !== null) return code;
    }
    return null;
  }

  standing(): Promise<void> {
    if (this.#send !== null) return Promise.resolve();
    return new Promise((resolve) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#awaitingLine.delete(settle);
        resolve();
      };
      const timer = setTimeout(settle, standingMsMax);
      this.#awaitingLine.add(settle);
    });
  }

  delivered(number: number, entries: readonly EntryDraft[]): boolean {
    this.#send?.({ kind: 'delivered', number, entries });
    return this.#send !== null;
  }

  async hold(hold: Hold): Promise<string | null> {
    const answer = await this.ask((number) => ({ kind: 'hold', number, hold }));
    return answer?.kind === 'held' ? answer.approval : null;
  }

  async allot(ask: AllotmentAsk): Promise<AllotmentAnswer | null> {
    const answer = await this.ask((number) => ({ kind: 'allot', number, ask }));
    return answer?.kind === 'allotted' ? answer.answer : null;
  }

  async settle(reports: readonly AllotmentReport[]): Promise<boolean> {
    const answer = await this.ask((number) => ({ kind: 'settle', number, reports }));
    return answer?.kind === 'settled' && answer.code === null;
  }

  async endTask(task: string): Promise<string | null> {
    const answer = await this.ask((number) => ({ kind: 'end-task', number, task }));
    return answer?.kind === 'recorded' ? answer.code : 'SIDECAR_BUS_UNREACHABLE';
  }

  /** A chain for the CSR's key under the present identity, or null. */
  async renew(csr: string): Promise<string | null> {
    const answer = await this.ask((number) => ({ kind: 'renew', number, csr }));
    return answer?.kind === 'renewed' ? answer.chain : null;
  }

  async spawn(request: SpawnRequest): Promise<SpawnedAnswer | { readonly code: string }> {
    const asked = (number: number): SidecarFrame => ({ kind: 'spawn', number, request });
    const answer = await this.ask(asked, spawnTimeoutMs);
    if (answer?.kind === 'spawned') return answer;
    return { code: answer?.kind === 'refused' ? answer.code : 'SIDECAR_BUS_UNREACHABLE' };
  }

  async changeWorkflow(request: ChangeRequest): Promise<ChangedAnswer | { readonly code: string }> {
    const asked = (number: number): SidecarFrame => ({ kind: 'change', number, request });
    const answer = await this.ask(asked, spawnTimeoutMs);
    if (answer?.kind === 'changed') return answer;
    return { code: answer?.kind === 'refused' ? answer.code : 'SIDECAR_BUS_UNREACHABLE' };
  }

  async endChild(child: string | null, task: string | null): Promise<number | null> {
    const asked = (number: number): SidecarFrame => ({ kind: 'end-child', number, child, task });
    const answer = await this.ask(asked, spawnTimeoutMs);
    return answer?.kind === 'ended-child' ? answer.count : null;
  }

  /** Asks for a lease for when this version holds here; the answer comes as an event. */
  askLease(policyVersion: number): void {
    if (this.#send === null) return;
    const number = ++this.#number;
    const nonce = this.#options.mintNonce();
    this.#leasesAsked.set(number, { at: this.#options.now(), version: policyVersion, nonce });
    this.#send({ kind: 'lease', number, policyVersion, nonce });
  }

  /** Says what became of a change of PACE here; lost with the line, and then asked for by the next one. */
  clamped(paceVersion: number, busy: boolean, calls: readonly StoppedCall[]): void {
    this.#send?.({ kind: 'clamped', paceVersion, busy, calls: calls.slice(0, stoppedCallsMax) });
  }

  /** Ends the line and makes a new one under the present credential; nothing sent is lost. */
  reconnect(): void {
    this.#webSocket?.close(1000);
  }

  close(): void {
    this.#closed = true;
    if (this.#sweep !== null) clearInterval(this.#sweep);
    this.#webSocket?.terminate();
  }

  #connect(): void {
    if (this.#closed) return;
    const { host, port, bundlePem, nodeSpiffeId, credential } = this.#options;
    const own = credential();
    const webSocket = new WebSocket(`wss://${host}:${port}/bus`, {
      ...clientTlsOptions(own, bundlePem(), nodeSpiffeId),
      headers: intermediateHeaders(own),
      ...lineOptions,
    });
    this.#webSocket = webSocket;
    const send = corkedSender(webSocket, () => webSocket.terminate());
    let code = 'SIDECAR_BUS_UNREACHABLE';
    const nonce = this.#options.mintNonce();
    let asked = { at: this.#options.now(), version: 0, nonce };
    const parts = new PolicyParts();
    webSocket.on('open', () => {
      const { digest, version } = this.#options.policy();
      asked = { at: this.#options.now(), version, nonce };
      send({
        kind: 'hello',
        meshDigest: digest,
        policyVersion: version,
        isolation: this.#options.isolation,
        runs: this.#options.runs,
        nonce,
      });
    });
    webSocket.on('message', (data: Buffer) => {
      const parsed = parseNodeFrame(data);
      if (!parsed.ok) return webSocket.terminate();
      const { frame } = parsed;
      if (frame.kind === 'policy') return this.#policy(parts.add(frame), frame, webSocket, send);
      this.#receive(frame, send, asked);
    });
    webSocket.on('error', () => {
      // Always followed by close, which decides what happens next.
      code = 'SIDECAR_BUS_UNREACHABLE';
    });
    webSocket.on('close', (status, reason) => {
      if (status === 4000 && /^[A-Z][A-Z0-9_]+$/.test(reason.toString())) code = reason.toString();
      this.#lost(code);
    });
  }

  #policy(
    policy: ReturnType<PolicyParts['add']>,
    { version, part }: Extract<NodeFrame, { kind: 'policy' }>,
    webSocket: WebSocket,
    send: (frame: SidecarFrame) => void,
  ): void {
    if (policy === 'broken') return webSocket.terminate();
    if (part === 0) this.#options.events.announced(version);
    if (policy === null) return;
    this.#options.events.policy(policy, (code) => send({ kind: 'policy', version, code }));
  }

  #receive(
    frame: Exclude<NodeFrame, { kind: 'policy' }>,
    send: (frame: SidecarFrame) => void,
    asked: NonNullable<LeaseAnswer['asked']>,
  ): void {
    switch (frame.kind) {
      case 'welcome':
        this.#send = send;
        this.#backoffMs = backoffMsMin;
        for (const settle of this.#awaitingLine) settle();
        this.#options.events.welcome(frame);
        for (const [number, pending] of this.#publications) this.#sendPublication(number, pending);
        return;
      case 'deliver':
        return this.#options.events.deliver(frame);
      case 'decided':
        return this.#options.events.decided(frame);
      case 'quarantine':
        return this.#options.events.quarantine(frame.messages, frame.incarnations);
      case 'list-calls':
      case 'settle-call':
      case 'undo-call':
        return this.#options.events.calls(frame, send);
      case 'accepted':
        return this.#answer(frame.number, { accepted: true });
      case 'refused':
        if (this.#publications.has(frame.number)) {
          return this.#answer(frame.number, { accepted: false, code: frame.code });
        }
        this.#leasesAsked.delete(frame.number);
        return this.#settleAsk(frame.number, frame);
      case 'revocations': {
        const { since, version, changes } = frame;
        return this.#options.events.revocations({ since, version, changes });
      }
      case 'key-ahead':
        return this.onKeyAhead({ key: frame.key, binding: frame.binding });
      case 'lease':
        return this.#lease(frame, asked);
      default:
        // Every other frame answers what was asked under its number.
        return this.#settleAsk(frame.number, frame);
    }
  }

  /**
   * Taken in the order of the frames: the revocations before it are those it was granted on. Number 0
   * is the answer to `hello` until that one came, and after it what nobody asked for.
   */
  #lease(
    { number, signed, chain, accounts }: Extract<NodeFrame, { kind: 'lease' }>,
    hello: NonNullable<LeaseAnswer['asked']>,
  ): void {
    const asked = this.#leasesAsked.get(number) ?? (number === 0 ? hello : null);
    this.#leasesAsked.delete(number);
    this.#options.events.lease({ signed, chain, asked }, accounts);
  }

  #lost(code: string): void {
    this.#send = null;
    this.#webSocket = null;
    this.#leasesAsked.clear();
    for (const number of this.#asks.keys()) this.#settleAsk(number, null);
    if (this.#closed) return;
    const fatal = fatalCodes.has(code);
    this.#options.events.lost(code, fatal);
    if (fatal) return;
    const revoked = code === 'IDENTITY_REVOKED';
    if (revoked) this.#refuseAll(code);
    const isSlow = revoked || code === 'BUS_IDENTITY_CLONED';
    setTimeout(() => this.#connect(), isSlow ? revokedBackoffMs : this.#backoffMs).unref();
    this.#backoffMs = Math.min(this.#backoffMs * 2, backoffMsMax);
  }

  /** Nothing of a revoked identity is sent again. */
  #refuseAll(code: string): void {
    for (const number of this.#publications.keys()) this.#answer(number, { accepted: false, code });
  }

  #sendPublication(number: number, pending: Pending): void {
    if (this.#send === null) return;
    const { envelope, entry, policyVersion } = pending.publication;
    this.#send({ kind: 'publish', number, policyVersion, envelope, entry, resend: pending.sent });
    pending.sent = true;
  }

  #answer(number: number, answer: PublishAnswer): void {
    const pending = this.#publications.get(number);
    this.#publications.delete(number);
    pending?.settle(answer);
  }

  /** The node's answer, or null when there is none in time, or no line to ask on. */
  ask(
    frame: (number: number) => SidecarFrame,
    timeoutMs = askTimeoutMs,
  ): Promise<NodeFrame | null> {
    return new Promise((resolve) => {
      if (this.#send === null) {
        resolve(null);
        return;
      }
      const number = ++this.#number;
      const untilMs = this.#options.clock.nowMs() + timeoutMs;
      this.#asks.set(number, { settle: resolve, untilMs });
      this.#send(frame(number));
    });
  }

  #settleAsk(number: number, frame: NodeFrame | null): void {
    const ask = this.#asks.get(number);
    this.#asks.delete(number);
    ask?.settle(frame);
  }

  #expire(): void {
    const nowMs = this.#options.clock.nowMs();
    const { monotonicMs } = this.#options.now();
    const [eldest] = this.#leasesAsked.values();
    // A node that is asked and stays silent may sit behind a line that leads nowhere: a new one tells.
    if (eldest !== undefined && monotonicMs - eldest.at.monotonicMs > askTimeoutMs) {
      this.#leasesAsked.clear();
      this.#webSocket?.terminate();
    }
    for (const [number, ask] of this.#asks) {
      if (ask.untilMs <= nowMs) this.#settleAsk(number, null);
    }
    for (const [number, pending] of this.#publications) {
      if (pending.publication.expiresAt <= nowMs) {
        this.#answer(number, { accepted: false, code: 'SIDECAR_BUS_UNREACHABLE' });
      }
    }
  }
}
