// SPDX-License-Identifier: Apache-2.0
import type { PaceCode } from './codes.ts';
import type { PacePhase } from './pace-view.ts';
import type { PaceUnit } from './unit.ts';

/** One unit that is not in Primary, or was not in the last day. */
export type UnitState = {
  readonly unit: PaceUnit;
  readonly phase: PacePhase;
  /** Of the phase, milliseconds since 1970. */
  readonly since: number;
  /** Id of what put it there; who leads it back has to name it. Null in Primary. */
  readonly incident: string | null;
  readonly code: PaceCode | null;
  /** `operator:NAME`, `observer`, or `pace` where the machine moved by itself. */
  readonly by: string;
  /** Times at which it came back by itself within the last 24 hours. */
  readonly healed: readonly number[];
  /** Times of signs of compromise within the window. */
  readonly signs: readonly number[];
  /** A context that fills up alone put it there: it is no root of a wider failure. */
  readonly isFilled?: boolean;
};

/**
 * A stop that is under way. `suspended`: a kill whose second person is awaited, nothing goes on
 * meanwhile. `asked`: the observer wants it and people are waited for, everything goes on but what needs
 * its consent. `drain`: what was begun may end, nothing new begins. `frozen`: a halt, nothing goes on.
 */
export type Stop = {
  readonly id: string;
  readonly kind: 'kill' | 'halt';
  readonly unit: PaceUnit;
  readonly by: string;
  readonly at: number;
  readonly stage: 'asked' | 'suspended' | 'drain' | 'frozen';
  /** When the stage ends by itself; null: it does not. */
  readonly endsAt: number | null;
};

/** All that PACE knows; one value, so that it is made durable, compared and explored as a whole. */
export type PaceBook = {
  /** Ascends with every change, and never goes back. */
  readonly version: number;
  readonly units: ReadonlyMap<string, UnitState>;
  readonly stops: ReadonlyMap<string, Stop>;
};

export const emptyBook: PaceBook = { version: 0, units: new Map(), stops: new Map() };

/** What recovery from an emergency must put on record; texts of a person, 500 characters each. */
export type RecoveryEvidence = {
  readonly rootCause: string;
  readonly remediation: string;
  /** Which baselines were taken anew, and when. */
  readonly baselines: string;
};

export type PaceOrder =
  | { readonly op: 'kill'; readonly unit: PaceUnit }
  | { readonly op: 'halt'; readonly unit: PaceUnit }
  /** The second person: makes a suspended kill final, or takes it back. */
  | { readonly op: 'confirm'; readonly stop: string }
  | { readonly op: 'decline'; readonly stop: string }
  /** Ends a halt. */
  | { readonly op: 'resume'; readonly stop: string }
  | { readonly op: 'raise'; readonly unit: PaceUnit; readonly to: PacePhase }
  | {
      readonly op: 'recover';
      readonly unit: PaceUnit;
      readonly incident: string;
      readonly evidence: RecoveryEvidence;
    };

export type PaceEvent =
  /** A sign of compromise of one agent, on record under `id`. */
  | { readonly kind: 'sign'; readonly id: string; readonly agent: string; readonly at: number }
  /** An anomaly score of one agent, 0 to 100. */
  | {
      readonly kind: 'score';
      readonly id: string;
      readonly agent: string;
      readonly score: number;
      readonly at: number;
      /** A context that fills up makes it: a peer may have brought that about, so nobody but the agent moves. */
      readonly byContext?: boolean;
    }
  | {
      readonly kind: 'order';
      readonly id: string;
      readonly order: PaceOrder;
      readonly operator: string;
      readonly at: number;
    }
  /** The observer wants an emergency of the mesh; it becomes one when nobody answers in its window. */
  | { readonly kind: 'asked'; readonly id: string; readonly at: number }
  /** Every sidecar of a halt said that nothing runs there any more. */
  | { readonly kind: 'drained'; readonly stop: string; readonly at: number }
  | { readonly kind: 'tick'; readonly at: number };

/** One thing that changed, as it goes on record. */
export type PaceStep =
  | {
      readonly kind: 'phase';
      readonly unit: PaceUnit;
      readonly from: PacePhase;
      readonly to: PacePhase;
      readonly code: PaceCode;
      readonly by: string;
      readonly incident: string;
      readonly evidence: RecoveryEvidence | null;
    }
  | { readonly kind: 'stop'; readonly stop: Stop; readonly change: 'begun' | 'final' | 'frozen' | 'lifted' }
  /** A workflow that moved along with its members, or with one that it needs: nobody ordered it. */
  | {
      readonly kind: 'spread';
      readonly unit: PaceUnit;
      readonly from: PacePhase;
      readonly to: PacePhase;
      /** Units whose phase it follows; empty where it is back. */
      readonly because: readonly PaceUnit[];
    }
  /** Something that only people may do; nothing changed. */
  | { readonly kind: 'proposed'; readonly unit: PaceUnit; readonly to: PacePhase; readonly code: PaceCode };

export type PaceChange =
  | { readonly ok: true; readonly book: PaceBook; readonly steps: readonly PaceStep[] }
  | { readonly ok: false; readonly code: PaceCode };
