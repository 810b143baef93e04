// SPDX-License-Identifier: Apache-2.0
import type { RiskClass } from './mesh.ts';

export type RecorderSettings = {
  /** Witnesses by the prefix of their HTTP interface, each with its verifier key. */
  readonly witnesses: readonly { readonly url: string; readonly key: string }[];
  /** Age of the newest cosigned checkpoint that raises the alarm. */
  readonly witnessAgeMaxMs: number;
  /** Payloads that are kept for custodians; null keeps none. */
  readonly forensic: ForensicSettings | null;
  /** How long entries of a task stay, by the highest risk class in it. */
  readonly retentionDays: { readonly [risk in RiskClass]: number };
};

/** Where the mesh file says nothing of its recorder. */
export const defaultRetentionDays = { LOW: 90, MEDIUM: 365, HIGH: 1095, CRITICAL: 2555 } as const;

export type ForensicSettings = {
  readonly custodians: readonly { readonly name: string; readonly key: string }[];
  /** How many of them make the key of an epoch again. */
  readonly threshold: number;
  readonly epochMs: number;
  /** Payloads of these risk classes are kept; what belongs to no action is LOW. */
  readonly keep: ReadonlySet<RiskClass>;
};
