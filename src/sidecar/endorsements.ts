// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { canonicalize } from '../message/canonical-json.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';
import { valueAt } from '../message/json-pointer.ts';
import type { CombinedVerdict } from '../review/verdict.ts';

/** What a person looked at: a value, in its place of an action, of one agent in one task. */
type Endorsed = {
  readonly agent: string;
  readonly instance: string;
  readonly task: string;
  readonly action: string;
  readonly pointer: string;
  readonly value: JsonValue;
};

const endorsementsMax = 4096;
const code = 'POLICY_ENDORSEMENT_REQUIRED';

/** Keeps endorsements: SHA-256 of what was endorsed -> when it ends, milliseconds since 1970. */
export interface EndorsementStore {
  /** Those that have not ended. */
  load(nowMs: number): ReadonlyMap<string, number>;
  /** Resolves when all of them survive `kill -9`; rejects when they do not. */
  keep(endorsed: ReadonlyMap<string, number>, nowMs: number): Promise<void>;
}

/**
 * Values that people endorsed at this executor (G5). An endorsement makes nothing trusted anywhere
 * else. It survives a restart, and beyond 4,096 the oldest leaves, which only asks a person again.
 * Positions in a list are one place: a person who allowed a recipient allowed no order.
 */
export class Endorsements {
  readonly #lastsMs: number;
  readonly #store: EndorsementStore;
  /** SHA-256 of what was endorsed, so that no value is kept here -> when it ends. */
  readonly #endsAt: Map<string, number>;

  /** `lastsMs` bounds what no task's end is heard of. */
  constructor(lastsMs: number, store: EndorsementStore, nowMs: number) {
    this.#lastsMs = lastsMs;
    this.#store = store;
    this.#endsAt = new Map([...store.load(nowMs)].slice(-endorsementsMax));
  }

  has(endorsed: Endorsed, nowMs: number): boolean {
    const endsAt = this.#endsAt.get(keyOf(endorsed));
    return endsAt !== undefined && nowMs < endsAt;
  }

  /**
   * Every value that the verdict asked a person about; called once people released the request.
   * Resolves when they are durable; the request itself does not depend on it.
   */
  async add(
    body: EnvelopeBody,
    action: string,
    verdict: CombinedVerdict,
    nowMs: number,
  ): Promise<void> {
    const added = new Map<string, number>();
    for (const found of verdict.verdicts.flatMap((one) => one.findings)) {
      if (found.code !== code || found.path === null) continue;
      const value = valueAt(body.payload, found.path);
      if (value === undefined) continue;
      const key = keyOf({ ...placeOf(body), action, pointer: found.path, value });
      this.#endsAt.delete(key);
      this.#endsAt.set(key, nowMs + this.#lastsMs);
      added.set(key, nowMs + this.#lastsMs);
      const [oldest] = this.#endsAt.keys();
      if (this.#endsAt.size > endorsementsMax && oldest !== undefined) this.#endsAt.delete(oldest);
    }
    if (added.size > 0) await this.#store.keep(added, nowMs);
  }
}

/** Who asks, and in which task, as its sidecar signed it. */
export function placeOf(body: EnvelopeBody): Pick<Endorsed, 'agent' | 'instance' | 'task'> {
  return { agent: body.from, instance: body.instance, task: body.task };
}

function keyOf({ agent, instance, task, action, pointer, value }: Endorsed): string {
  const place = pointer.replaceAll(/\/\d+(?=\/|$)/g, '/*');
  const text = canonicalize([agent, instance, task, action, place, value]);
  return createHash('sha256').update(text).digest('base64url');
}
