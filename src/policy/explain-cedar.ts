// SPDX-License-Identifier: Apache-2.0
import type { ActionManifest, Agent, Mesh } from '../mesh/mesh.ts';
import type { Classification, Integrity } from '../message/envelope.ts';
import { CedarPolicies } from './cedar.ts';

/** What one Cedar policy says before parameters and label are known. */
export type CedarSays = {
  readonly policy: string;
  readonly effect: 'permit' | 'forbid';
  /** `depends`: on a parameter, or on the label or distance of the request. */
  readonly applies: 'always' | 'never' | 'depends';
};

export type CedarQuestion = {
  readonly action: ActionManifest;
  readonly executor: Agent;
  readonly requester: Agent;
  readonly domain: string;
};

const integrities: readonly Integrity[] = ['untrusted', 'internal', 'trusted'];
const classifications: readonly Classification[] =
  ['public', 'internal', 'confidential', 'restricted'];
const hopsMaxDefault = 8;

/**
 * Asks each policy alone, over every label and without parameters: a policy that cannot be
 * evaluated then reads a parameter, so it depends on one. The policies must be valid. Rejects with
 * `PolicyError` when Cedar cannot be loaded.
 */
export async function explainCedar(
  mesh: Mesh,
  question: CedarQuestion,
): Promise<readonly CedarSays[]> {
  const said: CedarSays[] = [];
  for (const [policy, text] of mesh.policies) {
    const bare = withoutTexts(text);
    const effect = /\bforbid\s*\(/.test(bare) ? 'forbid' : 'permit';
    const whole = await appliesTo(mesh, question, text);
    // `has` makes a policy readable without its parameter: its scope alone decides then.
    const guarded = /\bhas\b/.test(bare) && whole !== 'depends';
    const applies = guarded
      ? await appliesTo(mesh, question, scopeOf(text, bare)) === 'never' ? 'never' : 'depends'
      : whole;
    said.push({ policy, effect, applies });
  }
  return said;
}

async function appliesTo(
  mesh: Mesh,
  question: CedarQuestion,
  text: string,
): Promise<CedarSays['applies']> {
  const id = 'explained';
  const cedar = await CedarPolicies.load({ ...mesh, policies: new Map([[id, text]]) });
  if (cedar === null) return 'depends';
  const answers = new Set<string>();
  for (const integrity of integrities) {
    for (const classification of classifications) {
      for (const hop of [0, mesh.limits.requestHopsMax ?? hopsMaxDefault]) {
        const findings = cedar.review({
          ...question,
          label: { integrity, classification, origins: [] },
          hop,
          isolation: question.executor.isolation,
          parameters: {},
        });
        answers.add(answerOf(findings, id));
      }
    }
  }
  const [only] = answers;
  if (answers.size > 1 || only === 'depends') return 'depends';
  return only === 'applies' ? 'always' : 'never';
}

/** A lone policy permits, forbids under its own id, fails, or leaves the default deny. */
function answerOf(
  findings: readonly { readonly code: string; readonly rule: string }[],
  id: string,
): 'applies' | 'depends' | 'silent' {
  if (findings.length === 0) return 'applies';
  if (findings.some(({ code }) => code !== 'POLICY_CEDAR_DENIED')) return 'depends';
  return findings.some(({ rule }) => rule === `cedar/${id}`) ? 'applies' : 'silent';
}

/** The text with what stands in comments and quotes blanked out; every other offset stays. */
function withoutTexts(text: string): string {
  return text.replace(/\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"/g, (found) => ' '.repeat(found.length));
}

/** The policy without its conditions. */
function scopeOf(text: string, bare: string): string {
  const start = /\b(?:when|unless)\b/.exec(bare)?.index;
  return start === undefined ? text : `${text.slice(0, start)};`;
}
