// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { mintUlid } from '../message/identifiers.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { SignedEnvelope } from '../message/envelope.ts';
import type { StoppedCall } from '../pace/stopped-call.ts';
import { workOn, type Word } from './action.ts';
import type { SidecarContext } from './context.ts';
import { EndpointRefusals } from './endpoint-refusals.ts';
import { clampedEntry } from './clamped-entry.ts';
import { Handovers } from './handovers.ts';
import { containLate } from './contain-late.ts';
import { receive } from './inbound.ts';
import { Judging } from './judging.ts';
import { messageQuestion } from './judged.ts';
import { Inbox, undeliveredMax, wakeOf } from './inbox.ts';
import { sessionEntries } from './session-entries.ts';
import { takeSnapshot } from './snapshot.ts';
import { ownRefusal, sessionRefusal } from './standing.ts';
import { withdraw } from './withdraw.ts';
import { AgentMemory } from './memory.ts';
import type { Decided, Incarnation, InboxMessage } from './ports.ts';
import { quarantine, quarantinedEntry } from './quarantine.ts';

export type SessionRefusal = { readonly ok: false; readonly code: string };
export type OfferedToken = {
  readonly token: string;
  /** A session lives: its process must not read this token, or it would start anew and clean. */
  readonly sessionLives: boolean;
};
export type SessionOpened = {
  readonly ok: true;
  /** Shown once, to the process that opened the session. */
  readonly sessionKey: string;
  readonly incarnation: string;
};

const requestsMax = 256; // That wait for their turn; beyond it the bus holds the rest back.
/** More than can be stored in one state: what the inbox holds, and the bus's window behind it. */
const storedMax = undeliveredMax + 1024;
const unsaid: Word = { decided: null, held: null };

/**
 * The security sidecar of one agent: owns its session, its memory of what the agent has read, its
 * inbox, and the order in which action requests are worked on.
 */
export class AgentSidecar {
  #context: SidecarContext;
  readonly endpointRefusals: EndpointRefusals;
  #memory: AgentMemory | null = null;
  #lastDelivery: Promise<void> = Promise.resolve();
  readonly #recovered = Promise.withResolvers<void>();
  /** No action runs before what a crash interrupted has been looked at. */
  #actions: Promise<void> = this.#recovered.promise;
  #working = 0;
  readonly #waitingForWork = new Set<() => void>();
  readonly #inbox = new Inbox();
  readonly #handovers = new Handovers();
  /** Requests whose answer the node refused for a while, by id; bounded by what is being worked on. */
  readonly #unsent = new Set<string>();
  readonly #judging = new Judging({
    context: () => this.#context,
    ruled: (id, held) => {
      const message = this.#context.store.message(id);
      if (message?.state === 'judging') this.#work(message, { ...unsaid, held });
    },
    refusedLate: async (question, ruling) => {
      this.#inbox.drop([question.id]);
      await this.#endReader(await containLate(question, ruling, this.#context), 'JUDGE_REFUSED_LATE');
    },
  });

  constructor(context: SidecarContext) {
    this.#context = context;
    this.endpointRefusals = new EndpointRefusals(() => this.#context);
    const untouched = context.store.messages('pending', storedMax);
    this.#inbox.putBack([...this.#unacknowledged(), ...untouched]);
    const incarnation = context.store.incarnation();
    if (incarnation !== null && incarnation.endedAt === null) {
      this.#memory = new AgentMemory(incarnation.id, context.store);
    }
  }

  /** Of the version of the policy in force; a step takes it once and keeps to it. */
  get context(): SidecarContext {
    return this.#context;
  }

  /**
   * Another version of the policy holds from now on, as a whole. What waits for people is looked at
   * again under it, and what was kept back while versions differed goes on.
   */
  switchTo(context: SidecarContext): void {
    this.#context = context;
    context.protection.forget();
    for (const message of context.store.messages('held', storedMax)) this.#work(message, unsaid);
    this.repeatAnswers();
  }

  /** Takes up what a crash interrupted: open intents become IN-DOUBT, requests are answered. */
  async recover(): Promise<void> {
    await this.context.gate.recover();
    this.#recovered.resolve();
    for (const state of ['working', 'judging'] as const) {
      for (const message of this.context.store.messages(state, storedMax)) this.#work(message, unsaid);
    }
    this.#judging.resume();
    this.reconnected();
  }

  /** On every connection to the node: offers held messages again and sends what was spooled. */
  reconnected(): void {
    this.context.protection.forget();
    for (const message of this.context.store.messages('held', storedMax)) {
      this.#work(message, unsaid);
    }
    this.repeatAnswers();
  }

  /** Offers answers again that the node would not take just now; called now and then. */
  repeatAnswers(): void {
    const unsent = [...this.#unsent];
    this.#unsent.clear();
    for (const id of unsent) {
      const message = this.context.store.message(id);
      if (message !== null) this.#work(message, unsaid);
    }
  }

  /**
   * A message from the bus. `settle` is called once it is durable here. The agent gets messages in
   * the order in which the bus admitted them.
   */
  deliver(
    envelope: SignedEnvelope,
    chain: string | null,
    settle: (entries: readonly EntryDraft[]) => void,
  ): void {
    const reviewed = receive({ envelope, chain }, this.context);
    // Looked at when its turn comes; until then a failure must not count as one that nobody heeds.
    reviewed.then(({ durable }) => durable).catch(() => undefined);
    this.#lastDelivery = this.#lastDelivery
      .then(() => reviewed)
      .then(async ({ message, entries, durable }) => {
        durable.then(() => settle(entries), (failure: unknown) => this.#faulted(failure));
        if (message !== null) await this.#received(message);
      })
      .catch((failure: unknown) => this.#faulted(failure));
  }

  /** People decided on a held message. */
  decided(decided: Decided): void {
    const message = this.context.store.message(decided.message);
    if (message === null || message.state !== 'held') return;
    this.#work(message, { ...unsaid, decided });
  }

  // Sessions.

  /** A token for the next agent process; whatever ran before is ended with it. */
  async mintToken(): Promise<string> {
    const { store, random, clock } = this.context;
    await this.endSession('replaced');
    const token = Buffer.from(random.bytes(32)).toString('base64url');
    await store.saveIncarnation({
      id: mintUlid(clock, random),
      tokenDigest: sha256(token),
      sessionDigest: null,
      endedAt: null,
      next: null,
    });
    return token;
  }

  /**
   * A token for an agent process that somebody else starts. A session that survived a crash of this
   * sidecar goes on, with its label, until that token is used. Whoever is given the token vouches
   * that a fresh process uses it.
   */
  async offerToken(): Promise<OfferedToken> {
    const { store, random, clock } = this.context;
    const incarnation = store.incarnation();
    const lives = incarnation !== null && incarnation.endedAt === null;
    if (!lives || incarnation.sessionDigest === null) {
      return { token: await this.mintToken(), sessionLives: false };
    }
    const token = Buffer.from(random.bytes(32)).toString('base64url');
    const next = { id: mintUlid(clock, random), tokenDigest: sha256(token) };
    await store.saveIncarnation({ ...incarnation, next });
    return { token, sessionLives: true };
  }

  /** One token opens one session; a second use means two processes hold it, and ends both. */
  async openSession(token: string): Promise<SessionOpened | SessionRefusal> {
    const { store, random } = this.context;
    const refusal = sessionRefusal(this.context);
    if (refusal !== null) return { ok: false, code: refusal };
    await this.#beginNext(sha256(token));
    const incarnation = store.incarnation();
    if (incarnation === null || incarnation.tokenDigest !== sha256(token)) {
      return { ok: false, code: 'SIDECAR_TOKEN_REFUSED' };
    }
    if (incarnation.endedAt !== null) return { ok: false, code: 'SIDECAR_TOKEN_REFUSED' };
    if (incarnation.sessionDigest !== null) {
      await this.endSession('SIDECAR_TOKEN_REUSED');
      return { ok: false, code: 'SIDECAR_TOKEN_REUSED' };
    }
    const sessionKey = Buffer.from(random.bytes(32)).toString('base64url');
    await store.saveIncarnation({ ...incarnation, sessionDigest: sha256(sessionKey) });
    this.#memory = new AgentMemory(incarnation.id, store);
    this.putBack(await this.#handovers.again(this.#unacknowledged(), this.context));
    await this.#recordSession(incarnation, 'session.opened', null);
    return { ok: true, sessionKey, incarnation: incarnation.id };
  }

  /** The memory of the live session that this key belongs to, or null. */
  authenticate(sessionKey: string): AgentMemory | null {
    const incarnation = this.context.store.incarnation();
    if (incarnation === null || incarnation.endedAt !== null) return null;
    if (ownRefusal(this.context) !== null) return null;
    return incarnation.sessionDigest === sha256(sessionKey) ? this.#memory : null;
  }

  /** Whether the session that this memory belongs to may still be told anything. */
  isLive(memory: AgentMemory): boolean {
    const incarnation = this.context.store.incarnation();
    return incarnation?.id === memory.incarnation && incarnation.endedAt === null;
  }

  /** The revocation list changed: an agent that it names has no session any more. */
  revocationsChanged(): void {
    this.context.protection.forget();
    const revoked = ownRefusal(this.context);
    if (revoked === null) return;
    this.endSession(revoked).catch((failure: unknown) => this.#faulted(failure));
  }

  /** True while a request is worked on, or a tool is called. */
  get isBusy(): boolean {
    return this.#working > 0 || this.context.gate.isBusy();
  }

  /**
   * PACE lets this agent do something else than before. Where that is nothing, what is under way at
   * its tools is stopped at once and its session ends. Resolves, with the calls that were stopped,
   * once the account of it is durable here.
   */
  async clampChanged(paceVersion: number): Promise<readonly StoppedCall[]> {
    const { gate, pace, agent, spool } = this.context;
    const clamp = pace.clamp(agent.name);
    const isStopped = clamp.allows === 'nothing';
    const calls = isStopped ? gate.abort() : [];
    if (isStopped) await this.endSession('PACE_STOPPED');
    const snapshot = await takeSnapshot(clamp, paceVersion, this.context);
    await spool([clampedEntry(clamp, paceVersion, calls, snapshot, this.context)]);
    return calls;
  }

  async endSession(reason: string): Promise<void> {
    const { store, clock } = this.context;
    const incarnation = store.incarnation();
    if (incarnation === null || incarnation.endedAt !== null) return;
    this.#memory = null;
    this.#inbox.wake();
    await store.saveIncarnation({ ...incarnation, endedAt: clock.nowMs() });
    await this.#recordSession(incarnation, 'session.ended', reason);
  }

  /**
   * Ends the session of an agent that left its typed interface. What it had in hand is not given to
   * the next process: it may be what turned this one, and would turn that one too.
   */
  async endCompromised(memory: AgentMemory, code: string): Promise<void> {
    const { store, spool } = this.context;
    const isInHand = ({ incarnation }: InboxMessage) => incarnation === memory.incarnation;
    const inHand = this.#unacknowledged().filter(isInHand);
    await this.endSession(code);
    await Promise.all(inHand.map(({ body }) => store.setState(body.id, 'refused')));
    const entries = inHand.map((one) => quarantinedEntry(one, memory.incarnation, this.context));
    if (entries.length > 0) await spool(entries);
  }

  /** These messages, and what these runs read, follow from what was refused late or put aside. */
  quarantine(messages: readonly string[], incarnations: readonly string[]): void {
    this.#inbox.drop(messages);
    const end = (run: string | null) => this.#endReader(run, 'SIDECAR_QUARANTINED');
    // Those that are named end before anything is awaited: they are answered nothing more.
    Promise.all([quarantine(messages, incarnations, this.context).then(end), ...incarnations.map(end)])
      .catch((failure: unknown) => this.#faulted(failure));
  }

  /** Whatever the process has made of what it read goes with it. */
  async #endReader(incarnation: string | null, code: string): Promise<void> {
    const memory = this.#memory;
    if (memory === null || memory.incarnation !== incarnation) return;
    await this.endCompromised(memory, code);
  }

  // Inbox.

  /** Up to `max` waiting messages for this session, waiting for the first until `signal` fires. */
  async take(
    max: number,
    signal: AbortSignal,
    memory: AgentMemory,
  ): Promise<readonly InboxMessage[]> {
    const isLive = (): boolean => this.isLive(memory);
    const isSuspect = ({ body }: InboxMessage): boolean => this.#handovers.isSuspect(body.id);
    const taken = await this.#inbox.take(max, signal, isLive, isSuspect);
    try {
      return await withdraw(taken, memory, this.context);
    } catch (failure) {
      this.#inbox.putBack(taken);
      throw failure;
    }
  }

  /** Puts back what could not be handed over. */
  putBack(messages: readonly InboxMessage[]): void {
    this.#inbox.putBack(messages);
  }

  /** Resolves with the executor's answer to a request, or null when `signal` fires first. */
  async outcomeOf(
    requestId: string,
    executor: string,
    signal: AbortSignal,
  ): Promise<InboxMessage | null> {
    const outcome = await this.#inbox.outcomeOf(requestId, executor, signal);
    const [kept = null] = outcome === null ? [] : await withdraw([outcome], null, this.context);
    return kept;
  }

  /** Resolves once there is room for the next one: until then the bus's window fills. */
  async #received(message: InboxMessage): Promise<void> {
    if (message.state === 'pending') {
      if (message.entries.some(({ outcome }) => outcome === 'ESCALATE')) {
        await this.#judging.later(messageQuestion(message, this.context), this.context);
      }
      return this.#inbox.add(message);
    }
    if (message.state !== 'working') return;
    this.#work(message, unsaid);
    while (this.#working + this.#unsent.size >= requestsMax) await wakeOf(this.#waitingForWork);
  }

  /** Action requests are worked on one after the other, so that caps cannot be raced. */
  #work(message: InboxMessage, word: Word): void {
    this.#working += 1;
    this.#actions = this.#actions
      .then(async () => {
        const current = this.context.store.message(message.body.id) ?? message;
        if (current.state === 'done') return;
        const asks = await workOn(current, word, this.context);
        if (asks?.when === 'held') this.#judging.hold(asks.question, this.context);
        else if (asks !== null) await this.#judging.later(asks.question, this.context);
        const { state } = this.context.store.message(current.body.id) ?? current;
        if (state === 'working') this.#unsent.add(current.body.id);
      })
      .catch((failure: unknown) => this.#faulted(failure))
      .finally(() => {
        this.#working -= 1;
        for (const wake of this.#waitingForWork) wake();
      });
  }

  /** What an agent was handed and never acknowledged: it may not have got it. */
  #unacknowledged(): readonly InboxMessage[] {
    return this.context.store.messages('handed', storedMax);
  }

  /** The token that was given out for a next process ends the incarnation before it. */
  async #beginNext(tokenDigest: string): Promise<void> {
    const { store } = this.context;
    const next = store.incarnation()?.next ?? null;
    if (next === null || next.tokenDigest !== tokenDigest) return;
    await this.endSession('replaced');
    if (store.incarnation()?.next !== next) return;
    await store.saveIncarnation({ ...next, sessionDigest: null, endedAt: null, next: null });
  }

  async #recordSession(
    incarnation: Incarnation,
    kind: 'session.opened' | 'session.ended',
    reason: string | null,
  ): Promise<void> {
    await this.context.recorder.record(sessionEntries(incarnation, kind, reason, this.context));
  }

  /** Said, and the message stays where it is for the next start. */
  #faulted(failure: unknown): void {
    this.context.report(failure);
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
