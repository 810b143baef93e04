// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { JsonObject } from '../message/json.ts';

/** Who may do what to PACE. Absent in the mesh file: every operator may do all of it. */
export type PaceAuthority = 'security' | 'incident_commander' | 'risk_owner';
export const paceAuthorities = ['security', 'incident_commander', 'risk_owner'] as const;

/** Agents that serve one business process, and what happens to them together. */
export type WorkflowSettings = {
  readonly name: string;
  readonly agents: readonly string[];
  /** Agent -> the agent that stands in for it while it is isolated; idle before. */
  readonly standbys: ReadonlyMap<string, string>;
  /** The one agent that goes on in Contingency, each write of it with a person. */
  readonly supervised: string | null;
  /** Workflows whose results this one needs. */
  readonly dependsOn: readonly string[];
  /** `automatic`: goes to Alternate with a workflow that it needs; `decide`: people are told. */
  readonly cascade: 'automatic' | 'decide';
};

export type ObserverSettings = {
  /** Ed25519 public JWK. */
  readonly publicKey: JsonObject;
  readonly silenceMs: number;
};

/** The section `pace` of a mesh file. */
export type PaceSettings = {
  /** Whether anomaly scores move phases, or are recorded only. */
  readonly scores: 'act' | 'record';
  /** Signs of compromise of one agent within the window that isolate it. */
  readonly isolateAfter: number;
  readonly windowMs: number;
  /** What a kill of a zone or the mesh waits for its second person before it is final. */
  readonly killWindowMs: number;
  readonly drainMs: number;
  /** How long a standby only reads before it writes with a person. */
  readonly probationMs: number;
  /** An agent isolated for its score heals after so long without a sign; 0 never. Tier 3 only. */
  readonly healAfterMs: number;
  /** Intent alignment score below which an agent is isolated, 0 to 100; 0 is never. */
  readonly alignmentMin: number;
  /** Longest time in Alternate before Contingency. */
  readonly alternateMsMax: number;
  /** What an emergency that the observer asks for waits for people. */
  readonly observerWindowMs: number;
  /** Whose consent leases for HIGH and CRITICAL need, and how old it may be; null: nobody observes. */
  readonly observer: ObserverSettings | null;
  readonly workflows: ReadonlyMap<string, WorkflowSettings>;
  /** Null: not divided, every operator holds all three. */
  readonly authorities: ReadonlyMap<PaceAuthority, ReadonlySet<string>> | null;
};

export const healsMax = 3;
export const healWindowMs = 24 * 3_600_000;

const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/);
const names = z.array(name).max(64);

/** What PACE does with one workflow; stands with the workflow. */
export const workflowPaceShape = z.strictObject({
  standbys: z.record(name, name).default({}),
  supervised: name.optional(),
  depends_on: names.default([]),
  cascade: z.enum(['automatic', 'decide']).default('automatic'),
});

/** The shape of the section; what it means stands in the reference of the mesh file. */
export const paceShape = z.strictObject({
  scores: z.enum(['act', 'record']).default('act'),
  isolate_after: z.int().min(1).max(1000).default(1),
  window_ms: z.int().min(1000).max(86_400_000).default(600_000),
  kill_window_ms: z.int().min(0).max(30_000).default(15_000),
  drain_ms: z.int().min(0).max(600_000).default(30_000),
  probation_ms: z.int().min(0).max(86_400_000).default(900_000),
  heal_after_ms: z.int().min(0).max(7_200_000).default(1_800_000),
  alignment_min: z.number().min(0).max(100).default(10),
  alternate_ms_max: z.int().min(60_000).max(172_800_000).default(172_800_000),
  observer_window_ms: z.int().min(0).max(3_600_000).default(300_000),
  observer: z.strictObject({
    public_key: z.strictObject({
      kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
    }),
    silence_ms: z.int().min(1000).max(600_000).default(15_000),
  }).optional(),
  authorities: z.strictObject({
    security: names.min(1),
    incident_commander: names.min(1),
    risk_owner: names.min(1),
  }).optional(),
});

export const defaultPaceSettings: PaceSettings = paceSettingsFrom(paceShape.parse({}), new Map());

/** The section as the mesh holds it, with the workflows of the mesh file. */
export function paceSettingsFrom(
  given: z.output<typeof paceShape>,
  workflows: ReadonlyMap<string, WorkflowSettings>,
): PaceSettings {
  const { authorities, observer } = given;
  return {
    scores: given.scores,
    isolateAfter: given.isolate_after,
    windowMs: given.window_ms,
    killWindowMs: given.kill_window_ms,
    drainMs: given.drain_ms,
    probationMs: given.probation_ms,
    healAfterMs: given.heal_after_ms,
    alignmentMin: given.alignment_min,
    alternateMsMax: given.alternate_ms_max,
    observerWindowMs: given.observer_window_ms,
    observer: observer === undefined
      ? null
      : { publicKey: { ...observer.public_key }, silenceMs: observer.silence_ms },
    workflows,
    authorities: authorities === undefined
      ? null
      : new Map(paceAuthorities.map((one) => [one, new Set(authorities[one])])),
  };
}
