// SPDX-License-Identifier: Apache-2.0
import type { RevocationView } from '../identity/revocation.ts';
import { mandateId } from '../mandate/block.ts';
import { isHolder } from '../mandate/link.ts';
import type { EffectiveMandate } from '../mandate/mandate.ts';
import { readUnverified } from '../mandate/narrow.ts';
import { isSecondChain } from '../mandate/second-chain.ts';
import type { MandateVerifier } from '../mandate/verifier.ts';
import type { Clock } from '../message/clock.ts';
import type { EnvelopeBody } from '../message/envelope.ts';

/** A chain that was believed when it was first seen. */
export type RegisteredMandate = {
  readonly id: string;
  readonly task: string;
  /** To whom it was given, as the last of its path. */
  readonly delegate: string;
  readonly chain: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** Milliseconds since 1970. */
  readonly at: number;
};

/** No mandate lasts longer than a week after the start of its task. */
export const registeredKeptMs = 8 * 24 * 3_600_000;

/** Chains that one delegate may hold for one task at a time. */
export const liveMandatesMax = 16;

/**
 * Keeps what was registered. What `add` resolved survives `kill -9`; reads see it at once. No read
 * that a message sets off takes longer because of what was registered before.
 */
export interface MandateStore {
  has(id: string): boolean;
  /** Of a task the oldest; null where it has none. */
  first(task: string): RegisteredMandate | null;
  /** Of a delegate the newest, and up to `limit` of those that live longest. */
  ofDelegate(task: string, delegate: string, limit: number): readonly RegisteredMandate[];
  /** Oldest first. */
  ofTask(task: string, limit: number): readonly RegisteredMandate[];
  newest(limit: number): readonly RegisteredMandate[];
  add(mandate: RegisteredMandate): Promise<void>;
  prune(beforeMs: number): Promise<void>;
}

export type MandateRegistryOptions = {
  readonly store: MandateStore;
  readonly verify: MandateVerifier;
  readonly revocations: RevocationView;
  readonly clock: Clock;
  /** SPIFFE id of the instance of an agent that is connected now; empty where none is. */
  readonly instanceOf: (agent: string) => string;
};

/**
 * The control plane's account of who delegated what to whom: every chain that travels over the bus
 * is registered with the first message that carries it, before that message is delivered. Executors
 * check chains by themselves and need no answer from here; what only this place can see is that a
 * task has a second one.
 */
export class MandateRegistry {
  readonly #options: MandateRegistryOptions;

  constructor(options: MandateRegistryOptions) {
    this.#options = options;
  }

  /** Why a message may not travel with its mandate; null where it may, or has none. */
  refusal(body: EnvelopeBody): string | null {
    const { verify, store } = this.#options;
    const { mandate: chain, task } = body;
    if (chain === null) return null;
    const verified = verify(chain, {
      task, audience: this.#presenter(body, chain), staleSnapshot: 'accept',
    });
    if (!verified.ok) return verified.code;
    return store.has(verified.mandate.id) ? null : this.#refusalOfNew(task, verified.mandate);
  }

  /**
   * Every chain that was let in is as narrow as all before it for its delegate, so the newest one
   * speaks for those that are not read; and all have the originator of the first.
   */
  #refusalOfNew(task: string, mandate: EffectiveMandate): string | null {
    const { store, revocations, clock } = this.#options;
    const known = store.ofDelegate(task, delegateOf(mandate), liveMandatesMax);
    if (known.some(({ id }) => revocations.isMandateRevoked(id))) return 'MANDATE_REVOKED';
    const first = store.first(task);
    const compared = first === null ? known : [first, ...known];
    const others = compared.flatMap(({ chain }) => effective(chain));
    if (isSecondChain(others, mandate)) return 'CONTROL_MANDATE_SECOND';
    const nowMs = clock.nowMs();
    const live = known.filter(({ expiresAt }) => !(expiresAt <= nowMs));
    return live.length < liveMandatesMax ? null : 'CONTROL_MANDATE_LIMIT';
  }

  /** Resolves when the chain of an admitted message is durable here. */
  async register({ mandate: chain, task }: EnvelopeBody): Promise<void> {
    if (chain === null) return;
    const { store, clock } = this.#options;
    const id = mandateId(chain);
    if (store.has(id)) return;
    const [mandate] = effective(chain);
    // It was read when the message was let in.
    if (mandate === undefined) return;
    const { expiresAt } = mandate;
    const delegate = delegateOf(mandate);
    await store.add({ id, task, delegate, chain, expiresAt, at: clock.nowMs() });
  }

  /** The agent that started a task, as its mandates prove; null where none was registered. */
  originOf(task: string): string | null {
    const first = this.#options.store.first(task);
    const [mandate] = first === null ? [] : effective(first.chain);
    return mandate?.path[0] ?? null;
  }

  /** The recipient of a mandate, or, where the sender only shows it, the sender. */
  #presenter(body: EnvelopeBody, chain: string): Presenter {
    const recipient = { name: body.to, spiffeId: this.#options.instanceOf(body.to) };
    const [stated] = effective(chain);
    const isGiven = stated !== undefined && isHolder(stated.audience, recipient);
    return isGiven ? recipient : { name: body.from, spiffeId: body.instance };
  }
}

type Presenter = { readonly name: string; readonly spiffeId: string };

function delegateOf({ path }: EffectiveMandate): string {
  return path.at(-1) ?? '';
}

function effective(chain: string): readonly EffectiveMandate[] {
  const read = readUnverified(chain);
  return read.ok ? [read.mandate] : [];
}
