// SPDX-License-Identifier: Apache-2.0
import { readBundle } from '../mesh/bundle.ts';
import type { PolicyVersion } from '../mesh/policy-version.ts';
import { readAppliedChange } from '../mesh/workflow-change.ts';
import { isJsonObject } from '../message/json.ts';
import { defaultJsonLimits, parseStrictJson } from '../message/strict-json.ts';
import type { NodeFrame } from './frame.ts';
import { policyPartLengthMax } from './parse-frame.ts';

type PolicyFrame = Extract<NodeFrame, { kind: 'policy' }>;

const jsonLimits = { ...defaultJsonLimits, bytesMax: 64 * 1024 * 1024, depthMax: 5 };

/** A version as the frames that carry it, in order. */
export function policyFrames(policy: PolicyVersion): readonly PolicyFrame[] {
  // Nothing but ASCII, so that no cut falls into a surrogate pair.
  const text = JSON.stringify(policy).replaceAll(/[^ -~]/g, (unit) =>
    `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const parts = Math.max(1, Math.ceil(text.length / policyPartLengthMax));
  return Array.from({ length: parts }, (_, part) => ({
    kind: 'policy',
    version: policy.version,
    part,
    parts,
    text: text.slice(part * policyPartLengthMax, (part + 1) * policyPartLengthMax),
  }));
}

/** Puts the parts of a version together; what does not follow the part before starts anew. */
export class PolicyParts {
  #version = 0;
  readonly #texts: string[] = [];

  /** The version once its last part is there; null before, `broken` where it makes no sense. */
  add({ version, part, parts, text }: PolicyFrame): PolicyVersion | 'broken' | null {
    if (part === 0) {
      this.#version = version;
      this.#texts.length = 0;
    }
    if (version !== this.#version || part !== this.#texts.length || part >= parts) return 'broken';
    this.#texts.push(text);
    if (part + 1 < parts) return null;
    return readPolicy(this.#texts.splice(0).join(''), version) ?? 'broken';
  }
}

function readPolicy(text: string, announced: number): PolicyVersion | null {
  const json = parseStrictJson(text, jsonLimits);
  if (!json.ok || !isJsonObject(json.value)) return null;
  const { version, digest, signed, bundle, change = null, ...unknown } = json.value;
  const changed = change === null ? null : readAppliedChange(change);
  const read = readBundle(bundle);
  if (Object.keys(unknown).length > 0 || read === null || version !== announced) return null;
  if (change !== null && changed === null) return null;
  if (typeof digest !== 'string' || (typeof signed !== 'string' && signed !== null)) return null;
  const policy = { version: announced, digest, signed, bundle: read };
  return changed === null ? policy : { ...policy, change: changed };
}
