// SPDX-License-Identifier: Apache-2.0
import type { PolicyPlace } from '../mesh/cedar-text.ts';
import type { Position } from '../mesh/diagnostic.ts';
import type { ActionManifest, Agent, Mesh } from '../mesh/mesh.ts';
import type { Placed } from '../mesh/problems.ts';
import type { PolicyCode } from './codes.ts';
import type { CedarSays } from './explain-cedar.ts';

/** What a rule means for a request: `depends` on parameters, label or time; `holds` for people. */
export type RuleEffect = 'allows' | 'refuses' | 'holds' | 'depends';

/** Codes of the folder `bounds`, which the sums' owner answers with at run time. */
type BoundCode = 'BOUNDS_EXCEEDED' | 'BOUNDS_RETRIES_SPENT' | 'BOUNDS_BREAKER_OPEN';

/** Codes that sidecar, bus and protection answer with. */
type ElsewhereCode =
  'PROTECTION_TIER_UNAVAILABLE' | 'SIDECAR_MANDATE_ABSENT' | 'SIDECAR_ASSIGN_DENIED';

/** One rule that speaks about a request, and where it is written. */
export type Rule = {
  readonly control:
    | 'edge' | 'executor' | 'domain' | 'isolation' | 'oispec' | 'manifest' | 'source' | 'bound'
    | 'hops' | 'cedar' | 'people' | 'mandate' | 'assign';
  readonly effect: RuleEffect;
  /** The code of the refusal or hold that the rule gives, or would give. */
  readonly code: PolicyCode | BoundCode | ElsewhereCode | null;
  readonly text: string;
  readonly place: Position;
};

/** What an explanation is made of. */
export type ExplainInput = {
  readonly mesh: Mesh;
  readonly placed: Placed;
  readonly policyPlaces: ReadonlyMap<string, PolicyPlace>;
  readonly agent: Agent;
  readonly action: ActionManifest;
  /** What each policy says about the request at this executor in this domain. */
  readonly cedarSays: (executor: Agent, domain: string) => readonly CedarSays[];
};

export type Route = { readonly executor: Agent; readonly domain: string };

export function refusing(
  control: Rule['control'],
  code: NonNullable<Rule['code']>,
  place: Position,
  text: string,
): Rule {
  return { control, effect: 'refuses', code, text, place };
}

export function allowing(control: Rule['control'], place: Position, text: string): Rule {
  return { control, effect: 'allows', code: null, text, place };
}
