// SPDX-License-Identifier: Apache-2.0
import type { CalibrationStore } from './calibration.ts';
import type { JudgeQuestion } from './judge.ts';
import type { SenderStanding } from './sampling.ts';
import type { SpendStore } from './spend.ts';

/**
 * What the judge of one sidecar remembers; every resolved write survives `kill -9`. Questions hold
 * what they ask about, so they stay on this disk and are dropped once they are answered.
 */
export interface JudgeMemory {
  readonly spend: SpendStore;
  /** Of the model that the agent itself thinks with. */
  readonly modelSpend: SpendStore;
  /** What the judges said to cases with a known answer. */
  readonly calibrations: CalibrationStore;
  /** Questions that are judged after the fact, oldest first; one for each message. */
  questions(limit: number): readonly JudgeQuestion[];
  /** False when there is no room; nothing is dropped for it. */
  queue(question: JudgeQuestion, nowMs: number): Promise<boolean>;
  answered(id: string): Promise<void>;
  /** Until when everything that this agent has escalated is judged; 0 for nobody. */
  suspectUntil(agent: string): number;
  suspect(agent: string, untilMs: number): Promise<void>;
  /** Null for a sender of which nothing was escalated yet. */
  sender(agent: string): SenderStanding | null;
  saveSender(agent: string, standing: SenderStanding): Promise<void>;
}
