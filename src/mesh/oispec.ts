// SPDX-License-Identifier: Apache-2.0
import type { RiskClass } from './mesh.ts';

/** Something that an agent, a judge or a workflow is to reach or to avoid; ids lead verdicts to it. */
export type Criterion = {
  readonly id: string;
  readonly text: string;
  readonly kind: 'success' | 'failure';
};

/** What every `data` and `claim` message of an agent has to keep to. */
export type OutputConstraints = {
  /** Highest `confidence` of a message whose sender has read nothing outside the fleet; 1 is any. */
  readonly confidenceWithoutSourceMax: number;
  /** Members of the payload, in dots. */
  readonly requiredFields: readonly string[];
  /** Phrases that may stand in no text, whatever their case and width. */
  readonly prohibitedContent: readonly string[];
};

/** Objective Intent Specification of one agent (facts a1), the parts this build enforces. */
export type OISpec = {
  readonly id: string;
  readonly version: string;
  readonly agent: string;
  readonly goal: string;
  /** Criteria written as plain text have ids of their place: `success-1`, `failure-2`. */
  readonly criteria: readonly Criterion[];
  readonly permittedTools: readonly string[];
  readonly permittedActions: readonly string[];
  readonly prohibitedActions: readonly string[];
  readonly dataScope: readonly string[];
  /** Null where it constrains nothing. */
  readonly output: OutputConstraints | null;
  readonly canDelegate: boolean;
  readonly maxDelegationDepth: number;
  /** Without it no right to spawn holds. */
  readonly canCreateAgents: boolean;
  /** Without it no right to change a workflow holds; absent is false. */
  readonly canModifyWorkflow?: boolean;
  readonly riskClassification: RiskClass;
  readonly timeBoundary: TimeBoundary;
  /** Actions that wait in each task until others are done; absent is none. */
  readonly actionOrder?: readonly ActionAfter[];
  /** When what it does in a workflow is held against the workflow; absent is at every action. */
  readonly evaluation?: EvaluationFrequency;
  /** SHA-256 (base64url) of the canonical specification. */
  readonly digest: string;
};

/** Within a task `action` is not asked for, and not performed, before all of `after` are done. */
export type ActionAfter = { readonly action: string; readonly after: readonly string[] };

export type EvaluationFrequency = 'every_action' | 'per_phase' | 'post_execution';

/** When an agent may begin anything; milliseconds since 1970, null is unbounded. */
export type TimeBoundary = {
  readonly notBeforeMs: number | null;
  readonly notAfterMs: number | null;
  /** Of a task, counted from its start. */
  readonly durationMs: number | null;
};
