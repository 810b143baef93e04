// SPDX-License-Identifier: Apache-2.0
import type { UserPattern } from '../mesh/mesh.ts';
import type { RulePack } from '../mesh/scanner-settings.ts';
import type { HiddenRun } from '../text/normalise.ts';
import type { Step } from '../text/view.ts';
import { identityNumbers, letteredNumbers } from './identity-numbers.ts';
import { outputRules } from './output-rows.ts';
import { injectionRules } from './patterns.ts';
import { personalRules } from './personal-words.ts';
import { secretRules } from './secrets.ts';

/** Types, schemas and bounds cannot be suppressed: guarantees rest on them. */
const suppressible = /^(?:secret|injection|hidden|personal|output|manipulation|pattern|pack)\//;

export function isSuppressible(rule: string): boolean {
  return suppressible.test(rule);
}

/** Maps, and no lists, so that the compiler misses what is added to a type and not here. */
const runs: { readonly [kind in HiddenRun['kind']]: true } = {
  'tag-characters': true, 'variation-selectors': true, 'zero-width': true, 'bidi-override': true,
};
const steps: { readonly [step in Step]: true } = {
  'unicode-fold': true, invisible: true, escapes: true, base64: true, base32: true, hex: true, 'number-list': true,
  gzip: true, rot13: true, leet: true, 'spaced-letters': true, markup: true, split: true,
};

const shipped: readonly string[] = [
  ...[...secretRules, ...injectionRules, ...personalRules, ...outputRules].map(({ id }) => id),
  ...[...identityNumbers, ...letteredNumbers].map(({ id }) => `personal/${id}`),
  ...['e-mail', 'iban', 'card', 'phone', 'by-name'].map((id) => `personal/${id}`),
  ...[...Object.keys(runs), ...Object.keys(steps)].map((id) => `hidden/${id}`),
  'output/system-prompt',
];

/** Ids of every rule that a suppression may name: the shipped ones, the patterns and the packs of the mesh file. */
export function suppressibleRules(
  patterns: readonly UserPattern[],
  packs: readonly RulePack[],
): ReadonlySet<string> {
  return new Set([
    ...shipped,
    ...patterns.map(({ id }) => `pattern/${id}`),
    ...packs.flatMap((pack) => pack.rules.map(({ id }) => `pack/${pack.name}.${id}`)),
  ].filter(isSuppressible));
}

/** True for `hidden/base64+rot13` and the like: what was hidden under several layers is named by all of them. */
export function isLayered(rule: string): boolean {
  const [group, layers = ''] = rule.split('/');
  return group === 'hidden' && layers.split('+').every((step) => Object.hasOwn(steps, step));
}
