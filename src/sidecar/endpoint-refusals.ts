// SPDX-License-Identifier: Apache-2.0
import { mintUlid } from '../message/identifiers.ts';
import type { SidecarContext } from './context.ts';

/** At most one entry per code in this time; what comes in between is counted into the next. */
const everyMs = 1_000;

/**
 * What the endpoint refused before it became a message or a call: wrong tokens, foreign pages,
 * malformed bodies, tasks never handed over. Recorded by code with a count, so that neither an
 * attack goes unseen nor its noise costs a disk write per request.
 */
export class EndpointRefusals {
  readonly #context: () => SidecarContext;
  readonly #counts = new Map<string, { count: number; recordedAt: number }>();

  constructor(context: () => SidecarContext) {
    this.#context = context;
  }

  /** `code` is one of the closed tables, so the number of them is bounded. */
  add(code: string): void {
    const refusals = this.#counts.get(code) ?? { count: 0, recordedAt: -Infinity };
    refusals.count += 1;
    this.#counts.set(code, refusals);
    this.#recordDue(code, refusals, everyMs);
  }

  /** Records every count that waits; called when the endpoint closes, and now and then. */
  flush(): void {
    for (const [code, refusals] of this.#counts) this.#recordDue(code, refusals, 0);
  }

  #recordDue(code: string, refusals: { count: number; recordedAt: number }, waitMs: number): void {
    const { agent, clock, random, recorder, report, isolation } = this.#context();
    const nowMs = clock.nowMs();
    const { count, recordedAt } = refusals;
    if (count === 0 || nowMs - recordedAt < waitMs) return;
    refusals.count = 0;
    refusals.recordedAt = nowMs;
    recorder
      .record([
        {
          kind: 'message.refused',
          id: mintUlid(clock, random),
          at: nowMs,
          actor: `sidecar:${agent.name}`,
          task: null,
          message: null,
          causedBy: [],
          outcome: 'NO-GO',
          code,
          verdicts: [],
          tookUs: null,
          detail: { at: 'agent-endpoint', count, isolation },
        },
      ])
      .catch((failure: unknown) => {
        refusals.count += count;
        report(failure);
      });
  }
}
