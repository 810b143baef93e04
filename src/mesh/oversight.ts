// SPDX-License-Identifier: Apache-2.0
import type { RiskClass } from './mesh.ts';

/**
 * An approval given ahead, as a narrow policy that ends: this action, from this requester, with
 * every parameter within what it says. It answers the manifest's own question only; what a control
 * escalates, and CRITICAL, is asked all the same.
 */
export type StandingApproval = {
  readonly id: string;
  readonly action: string;
  readonly requester: string;
  readonly where: ReadonlyMap<string,
    | { readonly atMost: number }
    | { readonly oneOf: readonly (string | number | boolean)[] }>;
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly by: string;
  readonly reason: string;
};

export type ApprovalWebhook = {
  readonly name: string;
  readonly url: string | null;
  readonly urlFile: string | null;
  readonly kind: 'slack' | 'json';
};

export type OversightSettings = {
  /** From issue of a request until nobody's decision means denied; absent: the mesh's own. */
  readonly deadlinesMs: { readonly [risk in RiskClass]?: number };
  /** Unmarked cases a day that show whether people look. They execute nothing. */
  readonly probesPerDay: number;
  readonly standing: readonly StandingApproval[];
  readonly webhooks: readonly ApprovalWebhook[];
};

export const defaultOversight: OversightSettings = {
  deadlinesMs: {}, probesPerDay: 0, standing: [], webhooks: [],
};

/** How long people have for a class. */
export function deadlineMs(
  risk: RiskClass,
  mesh: {
    readonly limits: { readonly approvalTimeoutMs: number };
    readonly oversight?: OversightSettings;
  },
): number {
  return mesh.oversight?.deadlinesMs[risk] ?? mesh.limits.approvalTimeoutMs;
}
