// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '../message/clock.ts';
import type { JsonObject } from '../message/json.ts';
import type { StoppedCall } from '../pace/stopped-call.ts';
import { unitKey, type PaceUnit } from '../pace/unit.ts';
import { blankEntry } from '../recorder/blank-entry.ts';
import type { Recorder } from '../recorder/entry.ts';

type Account = {
  readonly paceVersion: number;
  readonly busy: boolean;
  readonly calls: readonly StoppedCall[];
  /** When the node heard of it, milliseconds since 1970. */
  readonly at: number;
};

const reportsMax = 32;
/** Agents that one report names; of the others it says how many. */
const namedMax = 200;

/** What sidecars said they did about a stop, and the reports made of that. */
export class StopAccounts {
  readonly #recorder: Recorder;
  readonly #clock: Clock;
  readonly #failed: (failure: unknown) => void;
  readonly #accounts = new Map<string, Account>();
  readonly #reports = new Map<string, JsonObject>();

  constructor(recorder: Recorder, clock: Clock, failed: (failure: unknown) => void) {
    this.#recorder = recorder;
    this.#clock = clock;
    this.#failed = failed;
  }

  heard(agent: string, paceVersion: number, busy: boolean, calls: readonly StoppedCall[]): void {
    const before = this.#accounts.get(agent);
    // While a halt drains the same version is told again and again; the calls were told once.
    const kept = before?.paceVersion === paceVersion && calls.length === 0 ? before.calls : calls;
    this.#accounts.set(agent, { paceVersion, busy, calls: kept, at: this.#clock.nowMs() });
  }

  hasHeard(agent: string, paceVersion: number): boolean {
    return (this.#accounts.get(agent)?.paceVersion ?? -1) >= paceVersion;
  }

  isIdle(agent: string, paceVersion: number): boolean {
    const account = this.#accounts.get(agent);
    return account !== undefined && account.paceVersion >= paceVersion && !account.busy;
  }

  of(agent: string): JsonObject | null {
    const account = this.#accounts.get(agent);
    if (account === undefined) return null;
    return { ...account, calls: account.calls.map((call) => ({ ...call })) };
  }

  reports(): readonly JsonObject[] {
    return [...this.#reports.values()];
  }

  /** Puts on record what a stop did: who confirmed it, which calls it ended, which may go on. */
  async report(
    kind: 'kill' | 'halt',
    stop: string,
    unit: PaceUnit,
    agents: readonly string[],
    there: readonly string[],
    more: JsonObject,
  ): Promise<void> {
    const accounts = there.flatMap((agent) => {
      const account = this.#accounts.get(agent);
      return account === undefined ? [] : [{ agent, ...account }];
    });
    const calls = accounts.flatMap(({ agent, calls: stopped }) => stopped.map((call) => ({ agent, ...call })));
    const silent = there.filter((agent) => !this.#accounts.has(agent));
    const detail: JsonObject = {
      stopKind: kind,
      stop,
      unit: unitKey(unit),
      agents: agents.length,
      connected: there.length,
      confirmed: accounts.length,
      silent: silent.slice(0, namedMax),
      aborted: calls.filter(({ end }) => end === 'ended').slice(0, namedMax).map((call) => ({ ...call })),
      mayGoOn: calls.filter(({ end }) => end === 'told').slice(0, namedMax).map((call) => ({ ...call })),
      stillBusy: accounts.filter(({ busy }) => busy).map(({ agent }) => agent).slice(0, namedMax),
      ...more,
    };
    this.#reports.set(stop, { ...detail, at: this.#clock.nowMs() });
    const [oldest] = this.#reports.keys();
    if (this.#reports.size > reportsMax && oldest !== undefined) this.#reports.delete(oldest);
    try {
      const at = this.#clock.nowMs();
      const id = `pace.report.${stop}`;
      const reported = blankEntry({ kind: 'pace.reported', id, at, actor: 'node', detail });
      await this.#recorder.record([reported], { privileged: true });
    } catch (failure) {
      // The stop holds without its report; the report stays in memory for whoever asks.
      this.#failed(failure);
    }
  }
}
