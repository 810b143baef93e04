// SPDX-License-Identifier: Apache-2.0

/**
 * `on`: it acts, and the evidence says so. `partly`: some of what the framework asks for is there.
 * `off`: configured away, or nothing is configured for it. `deselected`: by name and reason in the
 * mesh file. `failing`: it should act and does not. `absent`: this build does not have it.
 */
export type StationState = 'on' | 'partly' | 'off' | 'deselected' | 'failing' | 'absent';

export type Station = {
  /** The framework's id of the control. */
  readonly id: string;
  readonly title: string;
  /** Autonomy tier from which on the framework asks for it. */
  readonly tier: 1 | 2 | 3;
  readonly state: StationState;
  /** Why it is in this state, or what of it is there. */
  readonly says: string;
  /** Part of the console that shows the evidence. */
  readonly evidence: string | null;
  /** Verdicts or entries that speak of it, in what the console has seen of the log; null: none can. */
  readonly seen: number | null;
};

export type Line = { readonly id: string; readonly name: string; readonly stations: readonly Station[] };

/** What the program knows of itself; nothing here is simulated. */
export type MapFacts = {
  readonly deselected: ReadonlyMap<string, { readonly by: string; readonly reason: string }>;
  /** Verdicts per control, and entries per kind, in the stretch of the log that was looked at. */
  readonly seen: ReadonlyMap<string, number>;
  readonly firewall: boolean;
  readonly judge: boolean;
  readonly pace: boolean;
  /** The mesh file names an observer. */
  readonly observer: boolean;
  readonly recorder: 'ready' | 'reserve' | 'unavailable';
  readonly witnesses: number;
  /** The newest cosigned checkpoint is younger than the mesh file asks for. */
  readonly witnessed: boolean;
  readonly exporters: number;
  readonly webhooks: number;
  readonly probesPerDay: number;
  readonly caps: boolean;
  /** Sources that agents may query, and whether any agent has a memory. */
  readonly knowledge: number;
  readonly memory: boolean;
  readonly isolation: boolean;
  readonly oispecs: number;
  readonly workflows: number;
  readonly agents: number;
  readonly operators: number;
  readonly tools: { readonly all: number; readonly pinned: number };
};

/** A control before it is asked for its state. */
export type Row = readonly [
  id: string, title: string, tier: 1 | 2 | 3, evidence: string | null, seen: string | null,
  state: (facts: MapFacts) => readonly [StationState, string],
];

export const on = (says: string) => (): readonly ['on', string] => ['on', says];
export const absent = (says: string) => (): readonly ['absent', string] => ['absent', says];
export const partly = (says: string) => (): readonly ['partly', string] => ['partly', says];

/** What a program can help with and not do. */
export const people = absent('For people and contracts.');

type State = ReturnType<Row[5]>;
export const withJudge = (says: string, state: 'on' | 'partly' = 'partly') => ({ judge }: MapFacts): State =>
  judge ? [state, says] : ['off', 'No judge is configured.'];
export const withObserver = (says: string) => ({ observer }: MapFacts): State =>
  observer ? ['on', says] : ['off', 'The mesh file names no observer.'];
export const withWorkflows = (says: string) => ({ workflows }: MapFacts): State =>
  workflows > 0 ? ['on', says] : ['off', 'The mesh file names no workflow.'];
export const withKnowledge = (says: string, state: 'on' | 'partly' = 'on') => ({ knowledge }: MapFacts): State =>
  knowledge > 0 ? [state, says] : ['off', 'The mesh file names no source of knowledge.'];
export const withMemory = (says: string, state: 'on' | 'partly' = 'on') => ({ memory }: MapFacts): State =>
  memory ? [state, says] : ['off', 'The mesh file gives no agent a memory.'];
export const withCaps = (says: string) => ({ caps }: MapFacts): State =>
  caps ? ['on', says] : ['off', 'The mesh file names no caps and no bounds.'];
