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
  readonly chain: string;
  /** Milliseconds since 1970. */
  readonly at: number;
};

/** No mandate lasts longer than a week after the start of its task. */
export const registeredKeptMs = 8 * 24 * 3_600_000;

/** Keeps what was registered. What `add` resolved survives `kill -9`; reads see it at once. */
export interface MandateStore {
  ofTask(task: string): readonly RegisteredMandate[];
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
    const { verify, store, revocations } = this.#options;
    const { mandate: chain, task } = body;
    if (chain === null) return null;
    const verified = verify(chain, {
      task, audience: this.#presenter(body, chain), staleSnapshot: 'accept',
    });
    if (!verified.ok) return verified.code;
    const { mandate } = verified;
    const known = store.ofTask(task);
    if (known.some(({ id }) => id === mandate.id)) return null;
    const others = known.flatMap(({ chain: other }) => effective(other));
    const delegate = mandate.path.at(-1);
    const isWithdrawn = others.some(({ id, path }) =>
      path.at(-1) === delegate && revocations.isMandateRevoked(id));
    if (isWithdrawn) return 'MANDATE_REVOKED';
    return isSecondChain(others, mandate) ? 'CONTROL_MANDATE_SECOND' : null;
  }

  /** Resolves when the chain of an admitted message is durable here. */
  async register({ mandate: chain, task }: EnvelopeBody): Promise<void> {
    if (chain === null) return;
    const { store, clock } = this.#options;
    const id = mandateId(chain);
    if (store.ofTask(task).some((known) => known.id === id)) return;
    await store.add({ id, task, chain, at: clock.nowMs() });
  }

  /** The agent that started a task, as its mandates prove; null where none was registered. */
  originOf(task: string): string | null {
    const [first] = this.#options.store.ofTask(task);
    const [mandate] = first === undefined ? [] : effective(first.chain);
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

function effective(chain: string): readonly EffectiveMandate[] {
  const read = readUnverified(chain);
  return read.ok ? [read.mandate] : [];
}
