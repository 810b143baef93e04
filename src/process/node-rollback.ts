// SPDX-License-Identifier: Apache-2.0
import { SqliteRollbackStore } from '../adapters/rollback-store-sqlite.ts';
import type { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import type { BusConnection } from '../bus/connection.ts';
import { doneReport, type DoneWrites } from '../control/done-writes.ts';
import { beginRollback, undoFrames, undoHeard, type RollbackContext } from '../control/rollback.ts';
import type { ActionManifest } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import type { JsonObject } from '../message/json.ts';
import { Turns } from '../oversight/turns.ts';
import type { Recorder } from '../recorder/entry.ts';
import type { SidecarFrame } from '../wire/frame.ts';

export type RollbackGround = {
  readonly database: BatchedDatabase;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly connected: ReadonlyMap<string, BusConnection>;
  readonly done: DoneWrites;
  readonly actions: () => ReadonlyMap<string, ActionManifest>;
  readonly failed: (failure: unknown) => void;
};

const askEveryMs = 5_000;
const shownMax = 500;

/** What emergencies undo: begun with the stop, owed to executors until each call is undone or cannot be. */
export class NodeRollback {
  readonly #of: RollbackGround;
  readonly #context: RollbackContext;
  #askedAtMs = 0;

  constructor(of: RollbackGround) {
    this.#of = of;
    const { database, recorder, clock } = of;
    this.#context = { store: new SqliteRollbackStore(database), recorder, clock, turns: new Turns() };
  }

  isBegun(incident: string): boolean {
    return this.#context.store.isBegun(incident);
  }

  /** What these agents did or had done in the last day, for the report of a stop. Says where the log did not answer. */
  async done(agents: readonly string[]): Promise<JsonObject> {
    const { done, actions, clock } = this.#of;
    const recalled = await this.#recalled();
    const nowMs = clock.nowMs();
    const report = doneReport(done.of(agents, actions(), nowMs), done.forgottenOf(agents, nowMs));
    return { done: { ...report, recalled } };
  }

  /** Begins what the incident undoes, and asks the executors that are there. `signed` is the operator's kill. */
  async begin(incident: string, signed: string | null, agents: readonly string[]): Promise<JsonObject> {
    const { done, actions, clock } = this.#of;
    const recalled = await this.#recalled();
    const nowMs = clock.nowMs();
    const writes = done.of(agents, actions(), nowMs);
    const rollback = await beginRollback(incident, signed, writes, this.#context);
    this.#ask();
    return { done: { ...doneReport(writes, done.forgottenOf(agents, nowMs)), recalled }, rollback };
  }

  heard(executor: string, frame: Extract<SidecarFrame, { kind: 'call-undone' }>): void {
    undoHeard(executor, frame, this.#context).catch(this.#of.failed);
  }

  owedTo(executor: string): ReturnType<typeof undoFrames> {
    return undoFrames(executor, this.#context);
  }

  /** Asks again now and then: an executor that had to wait may work again. */
  look(): void {
    const nowMs = performance.now();
    if (nowMs - this.#askedAtMs < askEveryMs) return;
    this.#askedAtMs = nowMs;
    this.#ask();
  }

  show(): readonly JsonObject[] {
    return this.#context.store.list(shownMax).map((undo) => ({ ...undo }));
  }

  #ask(): void {
    for (const [executor, connection] of this.#of.connected) {
      for (const frame of this.owedTo(executor)) connection.tell(frame);
    }
  }

  async #recalled(): Promise<boolean> {
    try {
      await this.#of.done.recall();
      return true;
    } catch (failure) {
      // What this run saw is listed all the same, and the report says that it is not all.
      this.#of.failed(failure);
      return false;
    }
  }
}
