// SPDX-License-Identifier: Apache-2.0
import { callDigest } from '../../src/tool/intent-store.ts';
import type {
  Begun,
  DoubtfulIntent,
  Intent,
  IntentStore,
  KeptCall,
  Settlement,
  StoredOutcome,
  UnrecordedEnd,
} from '../../src/tool/intent-store.ts';
import { ToolError } from '../../src/tool/tool-error.ts';

type Held = {
  intent: Intent;
  state: 'open' | 'done' | 'in-doubt';
  code: string;
  outcome: StoredOutcome | null;
  recorded: boolean;
};

/** Intents in memory, for tests: nothing here is durable, so no mesh may be wired with it. */
export class MemoryIntentStore implements IntentStore {
  readonly #held = new Map<string, Held>();
  readonly #settlements = new Map<string, Settlement>();

  async begin(intent: Intent): Promise<Begun> {
    const held = this.#held.get(intent.key);
    if (held === undefined) {
      const fresh: Held = { intent, state: 'open', code: '', outcome: null, recorded: false };
      this.#held.set(intent.key, fresh);
      return { state: 'new' };
    }
    if (callDigest(held.intent) !== callDigest(intent)) return { state: 'reused' };
    if (held.state === 'done' && held.outcome !== null) {
      return { state: 'done', outcome: held.outcome };
    }
    return held.state === 'in-doubt'
      ? { state: 'in-doubt', code: held.code }
      : { state: 'running' };
  }

  async settle(key: string, outcome: StoredOutcome): Promise<void> {
    const held = this.#inState(key, 'open');
    held.outcome = outcome;
    held.state = 'done';
    held.recorded = false;
  }

  async markInDoubt(key: string, code: string): Promise<void> {
    const held = this.#inState(key, 'open');
    held.code = code;
    held.state = 'in-doubt';
    held.recorded = false;
  }

  async reopen(key: string, atMs: number): Promise<void> {
    const held = this.#inState(key, 'in-doubt');
    held.intent = { ...held.intent, at: atMs };
    held.state = 'open';
  }

  async settleDoubt(intent: DoubtfulIntent, settlement: Settlement): Promise<boolean> {
    const held = this.#held.get(intent.key);
    if (held?.state !== 'in-doubt' || held.intent.requestId !== intent.requestId) return false;
    if (held.intent.at !== intent.at) return false;
    this.#settlements.set(intent.requestId, settlement);
    if (settlement.end === 'not-run') return this.#held.delete(intent.key);
    held.outcome = { status: 'DONE', result: null, at: settlement.at };
    held.state = 'done';
    held.recorded = true;
    return true;
  }

  settlementOf(requestId: string): string | null {
    return this.#settlements.get(requestId)?.statement ?? null;
  }

  async forget(key: string): Promise<void> {
    this.#inState(key, 'open');
    this.#held.delete(key);
  }

  async markRecorded(key: string, requestId: string): Promise<void> {
    const held = this.#held.get(key);
    if (held === undefined || held.state === 'open') return;
    if (held.intent.requestId === requestId) held.recorded = true;
  }

  find(key: string): KeptCall | null {
    const held = this.#held.get(key);
    if (held === undefined) return null;
    const { intent, outcome } = held;
    return { intent, outcome, code: held.state === 'in-doubt' ? held.code : null };
  }

  isFollowedBy({ key }: Intent, action: string, argumentsDigest: string): boolean {
    const all = [...this.#held.values()].map(({ intent }) => intent);
    const later = all.slice(all.findIndex((one) => one.key === key) + 1);
    return later.some((one) => one.requester !== one.executor &&
      one.action === action && one.argumentsDigest === argumentsDigest);
  }

  openIntents(): readonly Intent[] {
    const open = [...this.#held.values()].filter((held) => held.state === 'open');
    return open.map((held) => held.intent);
  }

  inDoubt(): readonly DoubtfulIntent[] {
    return [...this.#held.values()]
      .filter((held) => held.state === 'in-doubt')
      .map((held) => ({ ...held.intent, code: held.code }));
  }

  unrecorded(): readonly UnrecordedEnd[] {
    return [...this.#held.values()].flatMap((held): UnrecordedEnd[] => {
      if (held.recorded || held.state === 'open') return [];
      const done = held.state === 'done';
      const code = done ? null : held.code;
      return [{ intent: held.intent, end: done ? 'done' : 'in-doubt', code }];
    });
  }

  #inState(key: string, state: Held['state']): Held {
    const held = this.#held.get(key);
    if (held?.state === state) return held;
    throw new ToolError(
      'TOOL_STORE_UNAVAILABLE',
      'The intent is not in the state that this needs.',
    );
  }
}
