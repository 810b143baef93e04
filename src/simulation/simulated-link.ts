// SPDX-License-Identifier: Apache-2.0
import type { Instant } from '../identity/lease.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { BusLink, PublishAnswer, SpawnedAnswer } from '../sidecar/ports.ts';
import type { NodeFrame, SidecarFrame } from '../wire/frame.ts';
import { mintNonce } from '../message/identifiers.ts';
import type { StoppedCall } from '../pace/stopped-call.ts';
import type { Acceptor, DialledLine, Network } from './network.ts';
import type { Life, SkewedClock, World } from './world.ts';

type Publication = Parameters<BusLink['publish']>[0];
type Pending = { readonly publication: Publication; readonly settle: (answer: PublishAnswer) => void; sent: boolean };
export type AskedLease = { readonly at: Instant; readonly version: number; readonly nonce: string };

export type LinkOptions = {
  readonly agent: string;
  readonly world: World;
  readonly life: Life;
  readonly network: Network;
  readonly node: Acceptor;
  readonly clock: SkewedClock;
  readonly chainPem: () => string;
  readonly hello: (nonce: string) => SidecarFrame;
  readonly now: () => Instant;
  /** Whatever is no answer to a question of this link. */
  readonly frame: (frame: NodeFrame, asked: AskedLease | null) => void;
  readonly lost: (code: string) => void;
};

const backoffMs = 300;
const askTimeoutMs = 5_000;
const sweepMs = 500;

/** `BusLink` over the simulated network, with the repeats and the waits of the one over sockets. */
export class SimulatedLink implements BusLink {
  readonly #of: LinkOptions;
  readonly #publications = new Map<number, Pending>();
  readonly #asks = new Map<number, { readonly settle: (frame: NodeFrame | null) => void; readonly untilMs: number }>();
  readonly #leases = new Map<number, AskedLease>();
  readonly #awaitingLine = new Set<() => void>();
  #number = 0;
  #line: DialledLine | null = null;
  #welcome = false;

  constructor(options: LinkOptions) {
    this.#of = options;
    options.world.every(sweepMs, options.life, () => this.#sweep());
    this.#connect();
  }

  publish(publication: Publication): Promise<PublishAnswer> {
    return new Promise((settle) => {
      const number = (this.#number += 1);
      const pending: Pending = { publication, settle, sent: publication.resend };
      this.#publications.set(number, pending);
      this.#sendPublication(number, pending);
    });
  }

  async record(entries: readonly EntryDraft[], privileged: boolean, policyVersion: number): Promise<string | null> {
    const answer = await this.#ask((number) => ({ kind: 'record', number, privileged, policyVersion, entries }));
    return answer?.kind === 'recorded' ? answer.code : 'SIDECAR_BUS_UNREACHABLE';
  }

  standing(): Promise<void> {
    if (this.#welcome) return Promise.resolve();
    return new Promise((resolve) => {
      this.#awaitingLine.add(resolve);
      this.#of.world.after(1_500, this.#of.life, resolve);
    });
  }

  delivered(number: number, entries: readonly EntryDraft[]): boolean {
    this.#send({ kind: 'delivered', number, entries });
    return this.#welcome;
  }

  async keep(): Promise<string | null> {
    return null;
  }

  async hold(hold: Parameters<BusLink['hold']>[0]): Promise<string | null> {
    const answer = await this.#ask((number) => ({ kind: 'hold', number, hold }));
    return answer?.kind === 'held' ? answer.approval : null;
  }

  async allot(ask: Parameters<BusLink['allot']>[0]): ReturnType<BusLink['allot']> {
    const answer = await this.#ask((number) => ({ kind: 'allot', number, ask }));
    return answer?.kind === 'allotted' ? answer.answer : null;
  }

  async settle(reports: Parameters<BusLink['settle']>[0]): Promise<boolean> {
    const answer = await this.#ask((number) => ({ kind: 'settle', number, reports }));
    return answer?.kind === 'settled' && answer.code === null;
  }

  async endTask(task: string): Promise<string | null> {
    const answer = await this.#ask((number) => ({ kind: 'end-task', number, task }));
    return answer?.kind === 'recorded' ? answer.code : 'SIDECAR_BUS_UNREACHABLE';
  }

  /** Nobody changes a simulated mesh but the scenario. */
  async changeWorkflow(): Promise<{ readonly code: string }> {
    return { code: 'CONTROL_WORKFLOW_DENIED' };
  }

  async spawn(): Promise<SpawnedAnswer | { readonly code: string }> {
    return { code: 'CONTROL_SPAWN_DENIED' };
  }

  async endChild(): Promise<number | null> {
    return 0;
  }

  askLease(): void {
    if (!this.#welcome) return;
    const number = (this.#number += 1);
    const nonce = mintNonce(this.#of.world.chance);
    this.#leases.set(number, { at: this.#of.now(), version: 1, nonce });
    this.#send({ kind: 'lease', number, policyVersion: 1, nonce });
  }

  clamped(paceVersion: number, busy: boolean, calls: readonly StoppedCall[]): void {
    this.#send({ kind: 'clamped', paceVersion, busy, calls });
  }

  /** As an attacker who holds the sidecar would: anything at all. */
  sendRaw(frame: SidecarFrame): void {
    this.#send(frame);
  }

  #connect(): void {
    const { agent, network, node, world, life, chainPem, hello, now } = this.#of;
    const nonce = mintNonce(world.chance);
    const asked: AskedLease = { at: now(), version: 1, nonce };
    const line = network.dial(agent, chainPem(), node, {
      frame: (frame) => (life.alive ? this.#receive(frame, asked) : undefined),
      lost: (code) => (life.alive && this.#line === line ? this.#lost(code) : undefined),
    });
    this.#line = line;
    line.send(hello(nonce));
  }

  #receive(frame: NodeFrame, hello: AskedLease): void {
    switch (frame.kind) {
      case 'welcome':
        this.#welcome = true;
        for (const resolve of this.#awaitingLine) resolve();
        this.#awaitingLine.clear();
        this.#of.frame(frame, null);
        for (const [number, pending] of this.#publications) this.#sendPublication(number, pending);
        return;
      case 'accepted':
        return this.#answer(frame.number, { accepted: true });
      case 'refused':
        if (this.#publications.has(frame.number)) {
          return this.#answer(frame.number, { accepted: false, code: frame.code });
        }
        return this.#settleAsk(frame.number, frame);
      case 'lease': {
        const asked = this.#leases.get(frame.number) ?? (frame.number === 0 ? hello : null);
        this.#leases.delete(frame.number);
        return this.#of.frame(frame, asked);
      }
      case 'deliver':
      case 'decided':
      case 'quarantine':
      case 'revocations':
      case 'list-calls':
      case 'settle-call':
      case 'undo-call':
      case 'policy':
      case 'key-ahead':
        return this.#of.frame(frame, null);
      default:
        return this.#settleAsk(frame.number, frame);
    }
  }

  #lost(code: string): void {
    this.#welcome = false;
    this.#line = null;
    this.#leases.clear();
    for (const number of this.#asks.keys()) this.#settleAsk(number, null);
    if (code === 'IDENTITY_REVOKED') {
      for (const number of this.#publications.keys()) this.#answer(number, { accepted: false, code });
    }
    this.#of.lost(code);
    const { world, life } = this.#of;
    world.after(backoffMs + world.chance.between(0, backoffMs), life, () => this.#connect());
  }

  #send(frame: SidecarFrame): void {
    if (this.#welcome) this.#line?.send(frame);
  }

  #sendPublication(number: number, pending: Pending): void {
    if (!this.#welcome) return;
    const { envelope, entry, policyVersion } = pending.publication;
    this.#send({ kind: 'publish', number, policyVersion, envelope, entry, resend: pending.sent });
    pending.sent = true;
  }

  #answer(number: number, answer: PublishAnswer): void {
    const pending = this.#publications.get(number);
    this.#publications.delete(number);
    pending?.settle(answer);
  }

  #ask(frame: (number: number) => SidecarFrame): Promise<NodeFrame | null> {
    if (!this.#welcome) return Promise.resolve(null);
    return new Promise((settle) => {
      const number = (this.#number += 1);
      this.#asks.set(number, { settle, untilMs: this.#of.world.nowMs + askTimeoutMs });
      this.#send(frame(number));
    });
  }

  #settleAsk(number: number, frame: NodeFrame | null): void {
    const ask = this.#asks.get(number);
    this.#asks.delete(number);
    ask?.settle(frame);
  }

  #sweep(): void {
    const { world, clock } = this.#of;
    for (const [number, ask] of this.#asks) if (ask.untilMs <= world.nowMs) this.#settleAsk(number, null);
    for (const [number, { publication }] of this.#publications) {
      if (publication.expiresAt <= clock.nowMs()) {
        this.#answer(number, { accepted: false, code: 'SIDECAR_BUS_UNREACHABLE' });
      }
    }
    const [eldest] = this.#leases.values();
    if (eldest !== undefined && clock.monotonicMs() - eldest.at.monotonicMs > askTimeoutMs) {
      this.#leases.clear();
      this.#line?.close();
    }
  }
}
