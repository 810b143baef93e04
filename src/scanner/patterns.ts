// SPDX-License-Identifier: Apache-2.0
import { injectionRows } from './injection-rows.ts';
import type { Rule } from './rule.ts';

/** What may stand between two words: space, punctuation, mark-up, line ends. */
const separator = '(?:[^a-z0-9]{1,6})';

/** The shipped rules for the wording of injections. */
export const injectionRules: readonly Rule[] = injectionRows.map((row) => ({
  id: `injection/${row.id}`,
  code: 'SCAN_INJECTION',
  outcome: row.outcome,
  keywords: row.keywords,
  expression: new RegExp(row.source.replaceAll('_', separator), 'iy'),
  before: 0,
  wordStart: row.wordStart ?? true,
  verify: null,
  otherwise: null,
  appliesToUser: row.outcome === 'NO-GO',
}));
