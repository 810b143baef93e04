// SPDX-License-Identifier: Apache-2.0
import { readsMax, type AllotmentAsk } from '../bounds/ask.ts';
import { judgeMoney, judgeOperation, judgeShareMs } from '../bounds/judge-budget.ts';
import type { MeshBudget } from '../judge/spend.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Clock, Random } from '../message/clock.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { BusLink } from './ports.ts';

/** Shares of the hour's budget that one ask takes at most, so that no sidecar holds much of it. */
const sharesPerHour = 50;

export type JudgeShareOptions = {
  readonly agent: string;
  readonly mesh: () => Mesh;
  readonly link: Pick<BusLink, 'allot'>;
  readonly clock: Clock;
  readonly random: Random;
};

/**
 * This sidecar's part of what all judges of the mesh may spend: asked of the one owner in shares, used
 * until it is spent or too old. While the owner is away nothing more is spent, and questions go to
 * people. What a crash forgets stays charged for its hour, which is the safe side.
 */
export class JudgeShare implements MeshBudget {
  readonly #of: JudgeShareOptions;
  #micros = 0;
  #calls = 0;
  #untilMs = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(of: JudgeShareOptions) {
    this.#of = of;
  }

  /** One after the other: two calls must not use the same part. */
  take(micros: number): Promise<boolean> {
    const taken = this.#turn.then(() => this.#take(micros));
    this.#turn = taken.catch(() => undefined);
    return taken;
  }

  giveBack(micros: number): void {
    if (this.#of.clock.nowMs() < this.#untilMs) this.#micros += micros;
  }

  async #take(micros: number): Promise<boolean> {
    const budget = this.#of.mesh().judge?.meshBudget ?? null;
    if (budget === null) return true;
    const isHeld = this.#calls >= 1 && this.#micros >= micros && this.#of.clock.nowMs() < this.#untilMs;
    if (!isHeld) {
      const share = Math.max(micros, Math.floor((budget.moneyPerHour * 1e6) / sharesPerHour));
      const got = (await this.#ask(share, readsMax)) || (await this.#ask(micros, 1));
      if (!got) return false;
    }
    this.#micros -= micros;
    this.#calls -= 1;
    return true;
  }

  async #ask(micros: number, calls: number): Promise<boolean> {
    const { agent, link, clock, random } = this.#of;
    const id = mintUlid(clock, random);
    const askedMs = clock.nowMs();
    const ask: AllotmentAsk = {
      holder: id, requester: agent, task: id, action: null, operation: judgeOperation, idempotencyKey: id,
      calls, amounts: { [judgeMoney]: micros / 1e6 }, charges: [], released: false,
    };
    const answer = await link.allot(ask);
    if (answer?.outcome !== 'granted') return false;
    // What is left of the share before is kept, and is as old as it was.
    const isLeft = askedMs < this.#untilMs;
    this.#untilMs = isLeft ? this.#untilMs : askedMs + judgeShareMs;
    this.#micros = (isLeft ? this.#micros : 0) + micros;
    this.#calls = (isLeft ? this.#calls : 0) + calls;
    return true;
  }
}
