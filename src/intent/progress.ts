// SPDX-License-Identifier: Apache-2.0
import type { Standing } from '../message/challenge.ts';
import type { Milestone } from '../mesh/workflow.ts';
import type { Step } from './steps.ts';

/** Something that happened in a task and that later steps of it depend on. */
export type Mark =
  | { readonly kind: 'message'; readonly schema: string; readonly from: string }
  | { readonly kind: 'action'; readonly action: string; readonly by: string }
  | { readonly kind: 'claim'; readonly from: string }
  | { readonly kind: 'challenge'; readonly by: string; readonly standing: Standing }
  /** A phase of a workflow ended and was evaluated; one that is not GO puts the task in doubt. */
  | {
      readonly kind: 'judged';
      readonly workflow: string;
      readonly phase: string;
      /** `PENDING`: it was asked; `NONE`: it gave no usable answer. */
      readonly outcome: 'GO' | 'NO-GO' | 'ESCALATE' | 'PENDING' | 'NONE';
      /** The message that ended the phase: only what is said of it counts. Absent in marks of old. */
      readonly question?: string;
      /** How often its judges were asked in this task; absent is 0. */
      readonly asked?: number;
    }
  /** An instruction left out what its schema says that it is unclear without (PG-1.6). */
  | { readonly kind: 'unclear'; readonly from: string; readonly to: string }
  /** An agent asked back, or was told what was meant (PG-2.10). */
  | { readonly kind: 'clarification'; readonly by: string; readonly of: string }
  | { readonly kind: 'clarified'; readonly agent: string; readonly by: string }
  | {
      readonly kind: 'evaluated';
      readonly workflow: string;
      readonly phase: string;
      readonly outcome: 'GO' | 'NO-GO' | 'ESCALATE';
    };

export type JudgedMark = Extract<Mark, { readonly kind: 'judged' }>;

/** A mark with its place among all marks; a thing that happens again has its latest place. */
export type PlacedMark = { readonly mark: Mark; readonly place: number };

export type JudgedPhase = Pick<JudgedMark, 'workflow' | 'phase'>;
/** Pure: it may run more than once. */
export type JudgedChange = (before: JudgedMark | null) => JudgedMark | null;

/** The mark that says what judges said of a phase; null where they were never asked. */
export function judgedIn(marks: readonly PlacedMark[], { workflow, phase }: JudgedPhase): JudgedMark | null {
  for (const { mark } of marks) {
    if (mark.kind === 'judged' && mark.workflow === workflow && mark.phase === phase) return mark;
  }
  return null;
}

/**
 * What happened in each task, for as long as tasks last. `add` resolves when the marks survive
 * `kill -9`, in their order, and rejects when they do not; reads see them by then. A task keeps at
 * most `marksMax` different marks, and `add` rejects beyond.
 */
export interface ProgressStore {
  of(task: string): readonly PlacedMark[];
  add(task: string, marks: readonly Mark[], nowMs: number): Promise<void>;
  /**
   * Puts what `change` makes of a phase's `judged` mark in its place, with no other write in between;
   * null leaves it. Durable as `add` is; resolves with the mark that then stands.
   */
  judge(task: string, of: JudgedPhase, change: JudgedChange, nowMs: number): Promise<JudgedMark | null>;
  /** The newest steps of a task, in their order, at most `stepsMax`; `isWhole` while none gave way. */
  steps(task: string): { readonly steps: readonly Step[]; readonly isWhole: boolean };
  /** Keeps a step, once for each message; durable as marks are. */
  note(task: string, message: string, step: Step, nowMs: number): Promise<void>;
  prune(beforeMs: number): Promise<void>;
}

/** Marks are of declared names only, so that few are ever needed. */
export const marksMax = 4096;

/** Two marks of one key are the same thing, happened again; a challenger has one word at a time. */
export function markKey(mark: Mark): string {
  switch (mark.kind) {
    case 'message':
      return `message/${mark.from}/${mark.schema}`;
    case 'action':
      return `action/${mark.by}/${mark.action}`;
    case 'claim':
      return `claim/${mark.from}`;
    case 'challenge':
      return `challenge/${mark.by}`;
    case 'unclear':
      return `unclear/${mark.to}/${mark.from}`;
    case 'clarification':
      return `clarification/${mark.by}/${mark.of}`;
    case 'clarified':
      return `clarified/${mark.agent}/${mark.by}`;
    case 'judged':
    case 'evaluated':
      return `${mark.kind}/${mark.workflow}/${mark.phase}`;
    default:
      return mark satisfies never;
  }
}

/** Whether a mark is a step of a workflow: only what its own agents did is. */
export function isStepOf({ agents }: { readonly agents: readonly string[] }, mark: Mark): boolean {
  if (mark.kind === 'message') return agents.includes(mark.from);
  return mark.kind === 'action' && agents.includes(mark.by);
}

/** Whether a mark is what a milestone of a specification waits for. */
export function isReached(milestone: Milestone, mark: Mark): boolean {
  if (milestone.kind === 'action') return mark.kind === 'action' && mark.action === milestone.action;
  return mark.kind === 'message' && mark.schema === milestone.schema &&
    (milestone.from === null || mark.from === milestone.from);
}
