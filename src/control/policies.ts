// SPDX-License-Identifier: Apache-2.0
import { keysWith } from '../mesh/operator-roles.ts';
import { verifyPolicy, type PolicyStatement } from '../identity/policy-statement.ts';
import { changesBetween } from '../mesh/change.ts';
import type { Mesh, MeshBundle, Operator } from '../mesh/mesh.ts';
import type { PolicyVersion } from '../mesh/policy-version.ts';
import { takePolicy } from '../mesh/take-policy.ts';
import { changeWorkflow, nameOf, type AppliedChange } from '../mesh/workflow-change.ts';
import type { Clock } from '../message/clock.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';
import { refuse } from './refusal.ts';

/** What a refusal is about, on record. */
const at = { at: 'policies' } as const;

/** `coming`: signed, and not yet in force; `staged`: signed for the next start. */
export type PolicyState = 'coming' | 'staged' | 'in-force';

export type KeptPolicy = PolicyVersion & { readonly state: PolicyState };

/** Keeps the versions of the policy. What resolved survives `kill -9`; versions never go back. */
export interface PolicyStore {
  /** The highest version in force, or null before the first start. */
  inForce(): PolicyVersion | null;
  /** Signed and above what is in force; at most one. */
  next(): KeptPolicy | null;
  get(version: number): PolicyVersion | null;
  /** The latest version in force before this one that is kept still, or null. */
  before(version: number): PolicyVersion | null;
  /** The latest version in force with this digest, or null. */
  byDigest(digest: string): PolicyVersion | null;
  highest(): number;
  /** Replaces whatever else is coming or staged. */
  keep(policy: PolicyVersion, state: PolicyState): Promise<void>;
  /** From now on the version in force. */
  enforce(version: number): Promise<void>;
  drop(version: number): Promise<void>;
}

export type PoliciesContext = {
  readonly store: PolicyStore;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly operators: () => ReadonlyMap<string, Operator>;
  readonly inForce: () => { readonly version: number; readonly mesh: Mesh };
  readonly mintId: () => string;
  /** False when Cedar refuses the mesh's policies. */
  readonly compiles: (mesh: Mesh) => Promise<boolean>;
  /** From here until `enforce` or `resume` no privileged step begins. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Switches this process, at once and as a whole, and tells every sidecar. */
  readonly enforce: (policy: PolicyVersion, mesh: Mesh) => void;
};

export type PolicyAnswer =
  | { readonly ok: true; readonly version: number; readonly effective: 'now' | 'restart' }
  | { readonly ok: false; readonly code: string };

/**
 * Takes an operator's signed version of the policy (DESIGN 6.10). It is checked as `maso check`
 * does, kept, and its signature is durable in the flight recorder before any of it holds; then this
 * process switches as a whole. Between the record and the switch no privileged step begins. A crash
 * in between is made up for at the next start: what is kept and signed takes effect then. Calls
 * have to be made one after the other.
 */
export async function applyPolicy(
  signed: string,
  bundle: MeshBundle,
  context: PoliciesContext,
  change: AppliedChange | null = null,
): Promise<PolicyAnswer> {
  const operators = context.operators();
  const verified = verifyPolicy(signed, keysWith(operators, 'policy'));
  if (!verified.ok) return refuse(verified.code, at, context);
  const { version, digest } = verified.statement;
  const offered: PolicyVersion = { version, digest, signed, bundle, change };
  const now = context.inForce();
  if (!(version > context.store.highest())) return refuse('MESH_POLICY_VERSION', at, context);
  const taken = takePolicy(offered, { ...now, operators, believesNode: false });
  if (!taken.ok || taken.statement === null) {
    return refuse(taken.ok ? 'IDENTITY_POLICY_MALFORMED' : taken.code, at, context);
  }
  if (!(await context.compiles(taken.mesh))) return refuse('MESH_POLICY_REFUSED', at, context);
  const { effective } = taken.statement;
  const changes = changesBetween(now.mesh, taken.mesh);
  if (effective === 'now' && changes.some((change) => change.needsRestart)) {
    return refuse('MESH_POLICY_NEEDS_RESTART', at, context);
  }
  return effective === 'now'
    ? enforceNow(offered, taken.mesh, signedEntry(offered, taken.statement, context), context)
    : stage(offered, taken.statement, context);
}

/**
 * Puts a change in force that nobody has to sign (`takePolicy`), if the mesh of digest `base` that it
 * was made for is in force still. What it changes is durable in the flight recorder before any of it
 * holds. Calls have to be made one after the other, with those of `applyPolicy`.
 */
export async function applyNarrowing(
  base: string,
  change: AppliedChange,
  context: PoliciesContext,
): Promise<PolicyAnswer> {
  const now = context.inForce();
  if (now.mesh.digest !== base) return { ok: false, code: 'CONTROL_WORKFLOW_STALE' };
  const changed = changeWorkflow(now.mesh, change);
  if (!changed.ok) return changed;
  const { bundle, mesh: { digest } } = changed;
  const version = context.store.highest() + 1;
  const offered: PolicyVersion = { version, digest, signed: null, bundle, change };
  const taken = takePolicy(offered, { ...now, operators: context.operators(), believesNode: false });
  if (!taken.ok) return taken;
  return enforceNow(offered, taken.mesh, changedEntry(offered, change, context.clock.nowMs()), context);
}

async function enforceNow(
  policy: PolicyVersion,
  mesh: Mesh,
  entry: EntryDraft,
  context: PoliciesContext,
): Promise<PolicyAnswer> {
  const { version } = policy;
  if (!(await keeps(policy, 'coming', context))) return unavailable;
  context.pause();
  try {
    await context.recorder.record([entry], { privileged: true });
    await context.store.enforce(version);
    context.enforce(policy, mesh);
  } catch {
    // Not on record, or not kept as in force: the version before stays in force, everywhere.
    context.resume();
    await context.store.drop(version).catch(() => undefined);
    return { ok: false, code: 'CONTROL_POLICY_UNRECORDED' };
  }
  context.resume();
  await sayEffective(policy, null, context);
  return { ok: true, version, effective: 'now' };
}

async function stage(
  policy: PolicyVersion,
  statement: PolicyStatement,
  context: PoliciesContext,
): Promise<PolicyAnswer> {
  const { version } = policy;
  try {
    await context.recorder.record([signedEntry(policy, statement, context)], { privileged: true });
  } catch {
    return { ok: false, code: 'CONTROL_POLICY_UNRECORDED' };
  }
  if (!(await keeps(policy, 'staged', context))) return unavailable;
  return { ok: true, version, effective: 'restart' };
}

const unavailable = { ok: false, code: 'CONTROL_POLICY_UNAVAILABLE' } as const;

async function keeps(
  policy: PolicyVersion,
  state: PolicyState,
  { store }: PoliciesContext,
): Promise<boolean> {
  try {
    await store.keep(policy, state);
    return true;
  } catch {
    // Not durable, so it does not hold: it would be forgotten at the next start.
    return false;
  }
}

/** Says that a version is in force; a record that fails is made up for by the one of the signature. */
export async function sayEffective(
  policy: PolicyVersion,
  code: string | null,
  context: Pick<PoliciesContext, 'recorder' | 'clock'>,
): Promise<void> {
  try {
    await context.recorder.record([effectiveEntry(policy, code, 'node', context.clock.nowMs())]);
  } catch {
    // The recorder has said by itself that it is unavailable; the signature is on record.
    return;
  }
}

export function effectiveEntry(
  { version, digest }: Pick<PolicyVersion, 'version' | 'digest'>,
  code: string | null,
  actor: string,
  nowMs: number,
): EntryDraft {
  return {
    kind: 'policy.effective',
    id: `policy.${version}.${digest.slice(0, 12)}.${actor}`,
    at: nowMs,
    actor,
    task: null,
    message: null,
    causedBy: [],
    outcome: null,
    code,
    verdicts: [],
    tookUs: null,
    detail: { policy: version, digest },
  };
}

/** A workflow is another one from this version on. */
export function changedEntry(
  { version, digest, signed }: Pick<PolicyVersion, 'version' | 'digest' | 'signed'>,
  { id, by, workflow, open, close }: AppliedChange,
  nowMs: number,
): EntryDraft {
  return {
    kind: 'workflow.changed',
    id: `workflow.${id}`,
    at: nowMs,
    actor: 'node',
    task: null,
    message: null,
    causedBy: [`workflow.${id}.proposed`],
    outcome: 'GO',
    code: null,
    verdicts: [],
    tookUs: null,
    detail: {
      change: id, by, workflow, policy: version, digest,
      opened: open.map(nameOf), closed: close.map(nameOf), signed: signed !== null,
    },
  };
}

export function signedEntry(
  { signed }: PolicyVersion,
  statement: PolicyStatement,
  { clock }: Pick<PoliciesContext, 'clock'>,
): EntryDraft {
  const { id, version, digest, previous, effective, operator, reason } = statement;
  return {
    kind: 'policy.signed',
    id: `policy.${id}`,
    at: clock.nowMs(),
    actor: `operator:${operator}`,
    task: null,
    message: null,
    causedBy: [],
    outcome: 'GO',
    code: null,
    verdicts: [],
    tookUs: null,
    detail: { version, digest, previous, effective, reason, signed },
  };
}
