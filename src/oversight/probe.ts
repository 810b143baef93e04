// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { Approval } from './approvals.ts';
import type { Hold } from './hold.ts';

/** Randomness and ids come in, so that a test can say which probe it gets. */
export type ProbeMaking = {
  readonly mintId: () => string;
  readonly bytes: (count: number) => Uint8Array;
  readonly nowMs: number;
  readonly deadlineMs: (risk: Hold['risk']) => number;
};

/**
 * A case that looks like what people are asked, and that nobody who looks would release: a real
 * question with an amount far above and a name that no source gave. Null while there was no real
 * question to make it of. It names a message that no executor has and a digest of nothing, so that
 * no signature over it could release anything, whoever carries it.
 */
export function makeProbe(real: readonly Hold[], making: ProbeMaking): Hold | null {
  const suited = real.filter(({ parameters }) => Object.values(parameters).some(isTelling));
  const [at = 0] = making.bytes(1);
  const model = suited[at % Math.max(1, suited.length)];
  if (model === undefined) return null;
  const { parameters, changed } = distorted(model.parameters);
  const digest = createHash('sha256').update('maso probe').update(making.bytes(32));
  return {
    ...model,
    message: making.mintId(),
    task: making.mintId(),
    parameters,
    digest: digest.digest('base64url'),
    endorse: changed.map((pointer) => ({
      pointer, sources: [], origins: [model.rootOrigin],
    })),
    reasons: [...new Set([...model.reasons, 'POLICY_ENDORSEMENT_REQUIRED'])].slice(0, 32),
    expiresAt: making.nowMs + making.deadlineMs(model.risk),
    causedBy: [],
    modifiedBy: undefined,
  };
}

function isTelling(value: JsonValue): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /[a-z]{4}/i.test(value));
}

/** Numbers grow by a factor, and the first name gets letters that are easy to overlook. */
function distorted(
  parameters: JsonObject,
): { readonly parameters: JsonObject; readonly changed: readonly string[] } {
  const changed: string[] = [];
  const result: { [name: string]: JsonValue } = {};
  for (const [name, value] of Object.entries(parameters)) {
    result[name] = value;
    if (typeof value === 'number') result[name] = Math.round(value * 970) / 100;
    else if (typeof value === 'string' && isTelling(value) && changed.length === 0) {
      result[name] = misspelt(value);
    } else continue;
    changed.push(`/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  }
  return { parameters: result, changed };
}

/** One letter doubled in the middle. */
function misspelt(text: string): string {
  const middle = Math.floor(text.length / 2);
  return text.slice(0, middle) + (text[middle] ?? '') + text.slice(middle);
}

/** What people are shown: that it is a probe only once it was answered. */
export function shownApproval(approval: Approval): Approval {
  const { probe: _probe, ...shown } = approval;
  return approval.state === 'pending' ? shown : approval;
}
