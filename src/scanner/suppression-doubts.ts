// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from '../mesh/mesh.ts';
import { didYouMean } from '../mesh/nearest-name.ts';
import type { Suppression } from '../mesh/scanner-settings.ts';
import { isLayered, suppressibleRules } from './suppressible-rules.ts';

/** A suppression of the mesh file that does not do, or will not do for long, what it was written for. */
export type SuppressionDoubt = {
  /** Of the suppression in the mesh file. */
  readonly index: number;
  readonly member: 'rule' | 'expires';
  readonly code: 'SCAN_SUPPRESSION_ENDED' | 'SCAN_SUPPRESSION_ENDING' | 'SCAN_SUPPRESSION_UNMATCHED';
  readonly message: string;
};

const dayMs = 86_400_000;
const soonMs = 14 * dayMs;

/** In the order of the mesh file, at most one of each. One that names no rule never held, whenever it ends. */
export function suppressionDoubts(
  { patterns, scanner }: Pick<Mesh, 'patterns' | 'scanner'>,
  nowMs: number,
): readonly SuppressionDoubt[] {
  const { suppressions = [], packs = [] } = scanner ?? {};
  if (suppressions.length === 0) return [];
  const rules = suppressibleRules(patterns, packs);
  return suppressions.flatMap((item, index) => {
    const doubt = unmatched(item, rules) ?? ended(item, nowMs);
    return doubt === null ? [] : [{ index, ...doubt }];
  });
}

function unmatched({ rule }: Suppression, rules: ReadonlySet<string>): Omit<SuppressionDoubt, 'index'> | null {
  const group = rule.endsWith('/*') ? rule.slice(0, -1) : null;
  const isKnown = group === null
    ? rules.has(rule) || isLayered(rule)
    : [...rules].some((id) => id.startsWith(group));
  if (isKnown) return null;
  const meant = didYouMean(rule, group === null ? rules : groupsOf(rules));
  const message = `No rule that can be suppressed is called ${JSON.stringify(rule)}${meant === '' ? '.' : meant}`;
  return { code: 'SCAN_SUPPRESSION_UNMATCHED', member: 'rule', message };
}

function groupsOf(rules: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...rules].map((id) => `${id.slice(0, id.indexOf('/'))}/*`));
}

function ended({ rule, expiresAt }: Suppression, nowMs: number): Omit<SuppressionDoubt, 'index'> | null {
  const day = new Date(expiresAt - dayMs).toISOString().slice(0, 10);
  // Written so that a clock which is no number counts as an end, as it does where suppressions are applied.
  if (!(nowMs < expiresAt)) {
    const message = `The suppression of ${rule} ended with ${day}; its findings count again.`;
    return { code: 'SCAN_SUPPRESSION_ENDED', member: 'expires', message };
  }
  if (nowMs < expiresAt - soonMs) return null;
  const message = `The suppression of ${rule} ends with ${day}; its findings count from then on.`;
  return { code: 'SCAN_SUPPRESSION_ENDING', member: 'expires', message };
}
