// SPDX-License-Identifier: Apache-2.0
import type { Operator } from '../mesh/mesh.ts';
import { hasRight } from '../mesh/operator-roles.ts';
import type { Clock } from '../message/clock.ts';
import type { Turns } from '../oversight/turns.ts';
import type { PaceBook, PaceEvent, PaceStep } from '../pace/book.ts';
import { changePace } from '../pace/change.ts';
import { clampOf, isWorse, stricter } from '../pace/clamp.ts';
import type { PaceFacts } from '../pace/facts.ts';
import type { PaceClamp, PaceView } from '../pace/pace-view.ts';
import type { PaceRules } from '../pace/rules.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';
import { paceEntries, refusedOrderEntry } from './pace-entries.ts';
import { verifyPaceOrder } from '../pace/statement.ts';

/**
 * Keeps PACE. `save` resolves when book, entries and order survive `kill -9`, all or none. `load`
 * gives the book as it was saved last.
 */
export interface PaceStore {
  load(): PaceBook;
  save(book: PaceBook, entries: readonly EntryDraft[], order: KeptOrder | null): Promise<void>;
  /** The signed text of an order that was applied before; null for a new one. */
  order(id: string): string | null;
  /** Entries that are not on record yet, oldest first. */
  unrecorded(): readonly EntryDraft[];
  recorded(entries: readonly EntryDraft[]): Promise<void>;
}

export type KeptOrder = { readonly id: string; readonly signed: string };

export type PaceContext = {
  readonly rules: () => PaceRules;
  readonly facts: PaceFacts;
  readonly store: PaceStore;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly operators: ReadonlyMap<string, Operator>;
  readonly mintId: () => string;
  readonly turns: Turns;
  /** Told of every change once it holds; what was tightened holds before that. */
  readonly changed: (steps: readonly PaceStep[]) => void;
};

export type PaceAnswer =
  | { readonly ok: true; readonly id: string; readonly steps: readonly PaceStep[] }
  | { readonly ok: false; readonly code: string };

/** Who is revoked is refused by the revocation list, everywhere; a call under way may finish then. */
const ofPaceAlone: PaceFacts = { isRevoked: () => false };
/** More changes than one run of a node could make without its disk. */
const versionsPerRun = 1_048_576;
/** Other orders than a kill are refused when they are older than this, or as far in the future. */
const orderAgeMsMax = 600_000;

/**
 * The one keeper of PACE in a mesh: changes come in turn, each is durable and on record. A change
 * that tightens holds at once, before the disk is asked, and also when the disk fails; one that
 * loosens holds only when it is durable.
 */
export class PaceKeeper implements PaceView {
  readonly #context: PaceContext;
  #book: PaceBook;
  /** Being made durable: until it is, the stricter of both holds. */
  #coming: PaceBook | null = null;
  /** Holds, and is not durable: what to save with the next change, or the next look. */
  #unsaved: readonly EntryDraft[] | null = null;
  #clamps = new Map<string, PaceClamp>();
  #rules: PaceRules;

  constructor(context: PaceContext) {
    this.#context = context;
    const kept = context.store.load();
    // Whatever an earlier run said and did not keep, this run's versions are newer.
    this.#book = { ...kept, version: kept.version + versionsPerRun };
    this.#rules = context.rules();
    this.#refresh();
  }

  /** Makes the first version of this run durable. Called once, before anybody is told of it. */
  begin(): Promise<void> {
    return this.#context.store.save(this.#book, [], null);
  }

  get version(): number {
    return this.#book.version;
  }

  get book(): PaceBook {
    return this.#book;
  }

  clamp(agent: string): PaceClamp {
    const rules = this.#context.rules();
    if (rules !== this.#rules) {
      this.#rules = rules;
      this.#refresh();
    }
    return this.#clamps.get(agent) ?? { phase: 'EMERGENCY', allows: 'nothing' };
  }

  /** Applies an operator's signed order. The same order again changes nothing and is answered alike. */
  order(signed: string): Promise<PaceAnswer> {
    return this.#context.turns.take(() => this.#orderInTurn(signed));
  }

  /** Something that happened by itself: a sign, a score, a veto. */
  happened(event: Exclude<PaceEvent, { kind: 'order' }>): Promise<PaceAnswer> {
    return this.#context.turns.take(() => this.#apply(event, null, ''));
  }

  /** Looks at what time alone changes; tries again what the disk or the recorder refused. */
  look(): Promise<void> {
    return this.#context.turns.take(async () => {
      const at = this.#context.clock.nowMs();
      if (this.#unsaved !== null) await this.#save(this.#book, [], null);
      await this.#apply({ kind: 'tick', at }, null, '');
      // A standby proves itself by time alone.
      const hasStandby = [...this.#rules.places.values()].some(({ standbyFor }) => standbyFor !== null);
      if (hasStandby && this.#book.units.size > 0) {
        this.#refresh();
        this.#context.changed([]);
      }
      const waiting = this.#context.store.unrecorded();
      if (waiting.length > 0) await this.#record(waiting);
    });
  }

  async #orderInTurn(signed: string): Promise<PaceAnswer> {
    const { operators, store, clock } = this.#context;
    const verified = verifyPaceOrder(signed, (name) => operators.get(name)?.publicKey ?? null);
    if (!verified.ok) return this.#refuse(verified.code, null);
    const { id, order, operator, at, reason } = verified.statement;
    const right = order.op === 'recover' ? 'recover' : 'stop';
    if (!hasRight(operators.get(operator), right)) return this.#refuse('PACE_AUTHORITY_MISSING', operator);
    const known = store.order(id);
    if (known === signed) return { ok: true, id, steps: [] };
    if (known !== null) return this.#refuse('IDENTITY_PACE_MALFORMED', operator);
    const nowMs = clock.nowMs();
    // A kill that lay at the door of a node that was down is never too old.
    const isStale = !(Math.abs(nowMs - at) <= orderAgeMsMax);
    if (isStale && order.op !== 'kill') return this.#refuse('PACE_STATEMENT_STALE', operator);
    const event: PaceEvent = { kind: 'order', id, order, operator, at: nowMs };
    const answer = await this.#apply(event, { id, signed }, reason);
    if (!answer.ok && answer.code !== 'PACE_UNAVAILABLE' && answer.code !== 'PACE_UNRECORDED') {
      await this.#refuse(answer.code, operator);
    }
    return answer;
  }

  async #apply(event: PaceEvent, order: KeptOrder | null, reason: string): Promise<PaceAnswer> {
    const { facts, clock, changed } = this.#context;
    const rules = this.#context.rules();
    const change = changePace(this.#book, event, rules, facts);
    if (!change.ok) return change;
    const id = 'id' in event ? event.id : '';
    if (change.book === this.#book) return { ok: true, id, steps: [] };
    const at = { version: change.book.version, nowMs: clock.nowMs(), reason, signed: order?.signed ?? null };
    const entries = paceEntries(change.steps, at);
    this.#coming = change.book;
    this.#refresh();
    const saved = await this.#save(change.book, entries, order);
    this.#coming = null;
    const loosens = change.steps.some((step) =>
      (step.kind === 'phase' && isWorse(step.from, step.to)) || (step.kind === 'stop' && step.change === 'lifted'));
    if (!saved && loosens) {
      this.#unsaved = null;
      this.#refresh();
      return { ok: false, code: 'PACE_UNAVAILABLE' };
    }
    this.#book = change.book;
    this.#refresh();
    changed(change.steps);
    if (!saved) return { ok: false, code: 'PACE_UNAVAILABLE' };
    const recorded = entries.length === 0 || (await this.#record(entries));
    return recorded ? { ok: true, id, steps: change.steps } : { ok: false, code: 'PACE_UNRECORDED' };
  }

  async #save(
    book: PaceBook,
    entries: readonly EntryDraft[],
    order: KeptOrder | null,
  ): Promise<boolean> {
    const all = [...(this.#unsaved ?? []), ...entries];
    try {
      await this.#context.store.save(book, all, order);
      this.#unsaved = null;
      return true;
    } catch {
      // What tightens holds without the disk; it is tried again with the next look.
      this.#unsaved = all;
      return false;
    }
  }

  async #record(entries: readonly EntryDraft[]): Promise<boolean> {
    try {
      await this.#context.recorder.record(entries, { privileged: true });
      await this.#context.store.recorded(entries);
      return true;
    } catch {
      // The change holds; its entries are kept and recorded with a later look.
      return false;
    }
  }

  /** Recorded among the refusals, which have a quota: whoever guesses cannot fill the log. */
  async #refuse(code: string, operator: string | null): Promise<PaceAnswer> {
    const { recorder, clock, mintId } = this.#context;
    try {
      await recorder.record([refusedOrderEntry(code, operator, mintId(), clock.nowMs())]);
    } catch {
      // The refusal stands without its record; the recorder has said that it is unavailable.
      return { ok: false, code };
    }
    return { ok: false, code };
  }

  #refresh(): void {
    const nowMs = this.#context.clock.nowMs();
    const clamps = new Map<string, PaceClamp>();
    for (const agent of this.#rules.places.keys()) {
      const now = clampOf(agent, this.#book, this.#rules, ofPaceAlone, nowMs);
      const coming = this.#coming;
      clamps.set(agent, coming === null
        ? now
        : stricter(now, clampOf(agent, coming, this.#rules, ofPaceAlone, nowMs)));
    }
    this.#clamps = clamps;
  }
}
