// SPDX-License-Identifier: Apache-2.0
import { healWindowMs } from '../mesh/pace-settings.ts';
import type { PaceBook, PaceChange, PaceStep, Stop, UnitState } from './book.ts';
import { isWorse } from './clamp.ts';
import type { PaceCode } from './codes.ts';
import type { PacePhase } from './pace-view.ts';
import { unitKey, type PaceUnit } from './unit.ts';

const signsMax = 32;

/** A book that is being changed, with the steps so far. */
export class Work {
  readonly at: number;
  readonly #before: PaceBook;
  readonly #units: Map<string, UnitState>;
  readonly #stops: Map<string, Stop>;
  readonly #steps: PaceStep[] = [];
  #touched = false;

  constructor(book: PaceBook, at: number) {
    this.at = at;
    this.#before = book;
    this.#units = new Map(book.units);
    this.#stops = new Map(book.stops);
  }

  /** False while nothing was changed or proposed. */
  get isTouched(): boolean {
    return this.#touched;
  }

  get book(): PaceBook {
    return { version: this.#before.version, units: this.#units, stops: this.#stops };
  }

  stateOf(unit: PaceUnit): UnitState {
    return this.#units.get(unitKey(unit)) ?? {
      unit, phase: 'PRIMARY', since: this.at, incident: null, code: null, by: 'pace', healed: [], signs: [],
    };
  }

  /** Moves a unit to a worse phase; one that is as bad already stays as it is. */
  move(unit: PaceUnit, to: PacePhase, code: PaceCode, by: string, incident: string): void {
    const state = this.stateOf(unit);
    if (!isWorse(to, state.phase)) return;
    // What a person raised counts, whatever put it where it was.
    const isFilled = by === 'pace' && state.isFilled === true;
    this.#set({ ...state, phase: to, since: this.at, incident, code, by, isFilled });
    this.step({ kind: 'phase', unit, from: state.phase, to, code, by, incident, evidence: null });
  }

  /** What a unit is where it is for has become another thing, of which it goes on record. */
  stayFor(unit: PaceUnit, code: PaceCode, incident: string): void {
    const state = this.stateOf(unit);
    this.#set({ ...state, code, incident, by: 'pace' });
    this.step({ kind: 'phase', unit, from: state.phase, to: state.phase, code, by: 'pace', incident, evidence: null });
  }

  /** Leads a unit back; whoever calls it has looked at authority and evidence. */
  moveBack(
    unit: PaceUnit,
    to: PacePhase,
    code: PaceCode,
    by: string,
    evidence: Extract<PaceStep, { kind: 'phase' }>['evidence'],
  ): void {
    const state = this.stateOf(unit);
    const recent = state.healed.filter((time) => time > this.at - healWindowMs);
    const healed = code === 'PACE_HEALED' ? [...recent, this.at] : recent;
    const incident = state.incident ?? '';
    const isPrimary = to === 'PRIMARY';
    this.#set({
      ...state, phase: to, since: this.at, healed, by,
      incident: isPrimary ? null : incident, code: isPrimary ? null : code, signs: [],
      isFilled: !isPrimary && state.isFilled === true,
    });
    this.step({ kind: 'phase', unit, from: state.phase, to, code, by, incident, evidence });
  }

  /** Keeps whether a context that fills up alone put the unit where it is. */
  fill(unit: PaceUnit, isFilled: boolean): void {
    const state = this.stateOf(unit);
    if ((state.isFilled === true) !== isFilled) this.#set({ ...state, isFilled });
  }

  /** Keeps a sign; gives how many there are within the window now. */
  sign(unit: PaceUnit, windowMs: number): number {
    const state = this.stateOf(unit);
    const signs = [...state.signs, this.at].filter((time) => time > this.at - windowMs).slice(-signsMax);
    this.#set({ ...state, signs });
    return signs.length;
  }

  setStop(stop: Stop, change: 'begun' | 'frozen'): void {
    this.#stops.set(stop.id, stop);
    this.step({ kind: 'stop', stop, change });
  }

  endStop(stop: Stop, change: 'final' | 'lifted'): void {
    this.#stops.delete(stop.id);
    this.step({ kind: 'stop', stop, change });
  }

  step(step: PaceStep): void {
    this.#steps.push(step);
    this.#touched = true;
  }

  done(): PaceChange {
    if (!this.#touched) return { ok: true, book: this.#before, steps: [] };
    const book = { version: this.#before.version + 1, units: this.#units, stops: this.#stops };
    return { ok: true, book, steps: this.#steps };
  }

  #set(state: UnitState): void {
    this.#units.set(unitKey(state.unit), state);
    this.#touched = true;
  }
}

/** A kill takes effect for good: agents are ended, and only the risk owner leads them back. */
export function finishKill(stop: Stop, work: Work): void {
  work.endStop(stop, 'final');
  const code = stop.by === 'observer' ? 'PACE_OBSERVER_VETO' : 'PACE_KILLED';
  work.move(stop.unit, 'EMERGENCY', code, stop.by, stop.id);
}
