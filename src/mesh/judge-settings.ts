// SPDX-License-Identifier: Apache-2.0
import type { judgeSubjectNames } from './judge-file.ts';
import type { JudgeCaseFile } from './judge-spec-file.ts';

export type JudgeSubject = (typeof judgeSubjectNames)[number];

export type JudgeCriterion = { readonly id: string; readonly text: string };

/** One model that can be asked; the key is loaded by the process that asks, and stands nowhere. */
export type JudgeModelSettings = {
  readonly name: string;
  readonly provider:
    | {
        readonly kind: 'openai_compatible';
        readonly url: string;
        readonly structured: 'json_schema' | 'json_object' | 'none';
      }
    /** `url` null is the provider's own address. */
    | { readonly kind: 'anthropic'; readonly url: string | null };
  readonly model: string;
  readonly family: string;
  readonly credential:
    | { readonly kind: 'file'; readonly path: string }
    | { readonly kind: 'env'; readonly name: string }
    | null;
  /** In units of the mesh's money. */
  readonly price: {
    readonly perCall: number;
    readonly perMillionInput: number;
    readonly perMillionOutput: number;
  };
  readonly outputTokensMax: number;
};

/** What a judge judges by, and the cases that show whether it still does. */
export type JudgeSpecification = {
  readonly id: string;
  readonly version: string;
  /** SHA-256 (base64url) of the canonical specification. */
  readonly digest: string;
  readonly goal: string;
  readonly criteria: readonly JudgeCriterion[];
  readonly calibration: {
    /** Mean time between two cases. */
    readonly everyMs: number;
    /** Share of the newest `window` answers that have to be right. */
    readonly agreementMin: number;
    readonly window: number;
    readonly cases: readonly (JudgeCaseFile & { readonly id: string })[];
  } | null;
};

export type JudgeSubjectSettings = {
  readonly subject: JudgeSubject;
  /** Names of models. */
  readonly model: string;
  readonly backup: string | null;
  readonly second: string | null;
  readonly criteria: readonly JudgeCriterion[];
  /** Absent or null: its criteria stand in the mesh file, and no case tries it. */
  readonly spec?: JudgeSpecification | null;
};

/** The section `judge` of a mesh file; without subjects nobody judges. */
export type JudgeSettings = {
  readonly models: ReadonlyMap<string, JudgeModelSettings>;
  readonly subjects: readonly JudgeSubjectSettings[];
  /** Orders whose finding leads among equals; it never un-blocks. */
  readonly precedence: readonly JudgeSubject[];
  /** `never`: a GO is advice to the person who decides. */
  readonly release: 'never' | 'own_subject';
  /** From the question to its ruling, waiting for a place included. */
  readonly holdTimeoutMs: number;
  readonly callTimeoutMs: number;
  readonly concurrency: number;
  readonly queueMax: number;
  /** Characters of judged text in one question. */
  readonly textMax: number;
  readonly budget: {
    readonly moneyPerHour: number;
    readonly moneyPerTask: number;
    readonly callsPerHour: number;
    /** Absent or null: bounded by money and calls alone. */
    readonly tokensPerHour?: number | null;
    readonly tokensPerTask?: number | null;
  };
  /** What all sidecars together may spend; absent or null: each has its own budget alone. */
  readonly meshBudget?: { readonly moneyPerHour: number; readonly callsPerHour: number } | null;
  readonly breaker: { readonly failures: number; readonly openMs: number };
  /** Share of escalations that are judged after the fact; all of the `first` actions of each sender. */
  readonly sampling: {
    readonly low: number; readonly medium: number; readonly messages: number; readonly first?: number;
  };
};
