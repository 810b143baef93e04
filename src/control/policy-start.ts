// SPDX-License-Identifier: Apache-2.0
import { verifyPolicy } from '../identity/policy-statement.ts';
import { loadBundle } from '../mesh/bundle.ts';
import type { Mesh, MeshBundle, Operator } from '../mesh/mesh.ts';
import type { PolicyVersion } from '../mesh/policy-version.ts';
import { takePolicy } from '../mesh/take-policy.ts';
import type { Clock } from '../message/clock.ts';
import type { Recorder } from '../recorder/entry.ts';
import { ControlError } from './control-error.ts';
import { changedEntry, sayEffective, signedEntry, type PolicyStore } from './policies.ts';

export type PolicyStartContext = {
  readonly store: PolicyStore;
  readonly recorder: Recorder;
  readonly clock: Clock;
  /** Public key of whoever may sign: of the operators in force, or of this machine's own. */
  readonly operatorsOf: (mesh: Mesh) => Promise<ReadonlyMap<string, Operator>>;
};

export type StartedPolicy = {
  readonly policy: PolicyVersion;
  readonly mesh: Mesh;
  /** `MESH_POLICY_UNSIGNED` where the files on disk are not what was signed, or nothing was. */
  readonly code: 'MESH_POLICY_UNSIGNED' | null;
  /** What to say at start, in words. */
  readonly said: string | null;
};

/**
 * Which version a node starts on. What an operator signed before a crash, or for this start, takes
 * effect now. Where operators are named, a mesh file that none of them signed is not run: the
 * version that was in force goes on, and it is said. Where none is named, whoever writes the file
 * decides, and that is recorded. The first start believes the file: it names itself whose
 * signatures count, so a signature would prove nothing. Throws `ControlError`
 * CONTROL_POLICY_UNREADABLE; rejects when store or recorder do.
 */
export async function policyAtStart(
  disk: Mesh,
  context: PolicyStartContext,
): Promise<StartedPolicy> {
  const { store } = context;
  await takeNext(disk, context);
  const held = store.inForce();
  if (held === null) return adopt(disk, 1, 'first start', context);
  if (held.digest === disk.digest) return { policy: held, mesh: disk, code: null, said: null };
  const mesh = meshOf(held, disk.directory);
  if (madeByChanges(held, disk.digest, store)) {
    const said = `version ${held.version} goes on: a workflow was changed since the mesh file on disk ` +
      'was in force; maso workflow list shows it';
    return { policy: held, mesh, code: null, said };
  }
  if (mesh.operators.size === 0) return adopt(disk, store.highest() + 1, 'changed file', context);
  return {
    policy: held,
    mesh,
    code: 'MESH_POLICY_UNSIGNED',
    said: `the mesh file is not the signed version: version ${held.version} goes on ` +
      '(MESH_POLICY_UNSIGNED); sign it with maso reload',
  };
}

/** True when changes to workflows, and nothing else, lead from the version of this digest to this one. */
function madeByChanges(held: PolicyVersion, digest: string, store: PolicyStore): boolean {
  for (let version: PolicyVersion | null = held; version !== null; ) {
    if (version.digest === digest) return version !== held;
    if ((version.change ?? null) === null) return false;
    version = store.before(version.version);
  }
  return false;
}

/**
 * What a start will most likely run on: for what has to be known before the recorder can be opened,
 * and must not be taken from a file that nobody signed.
 */
export function meshToRun(disk: Mesh, store: PolicyStore): Mesh {
  const held = store.next() ?? store.inForce();
  if (held === null || held.digest === disk.digest) return disk;
  const mesh = meshOf(held, disk.directory);
  const believesDisk = mesh.operators.size === 0 && !madeByChanges(held, disk.digest, store);
  return believesDisk ? disk : mesh;
}

/** A version that was signed and that a crash, or its own wish, kept from being in force. */
async function takeNext(disk: Mesh, context: PolicyStartContext): Promise<void> {
  const { store, recorder, clock } = context;
  const next = store.next();
  if (next === null) return;
  const held = store.inForce();
  const before = held === null ? disk : meshOf(held, disk.directory);
  const operators = await context.operatorsOf(before);
  if (held !== null && next.signed === null) {
    // Narrowed by its orchestrator: what was on record before the crash is judged again, and holds.
    const standing = { version: held.version, mesh: before, operators, believesNode: false };
    const change = next.change ?? null;
    if (change === null || !takePolicy(next, standing).ok) return store.drop(next.version);
    await recorder.record([changedEntry(next, change, clock.nowMs())], { privileged: true });
    await store.enforce(next.version);
    return sayEffective(next, null, context);
  }
  const verified = verifyPolicy(next.signed ?? '', (name) => operators.get(name)?.publicKey ?? null);
  const fits = verified.ok && verified.statement.previous === (held?.digest ?? '') &&
    verified.statement.digest === next.digest && verified.statement.version === next.version;
  if (!verified.ok || !fits) return store.drop(next.version);
  meshOf(next, disk.directory);
  // Recorded again under its own id: it may have been lost between the store and the log.
  await recorder.record([signedEntry(next, verified.statement, { clock })], { privileged: true });
  await store.enforce(next.version);
  await sayEffective(next, null, context);
}

async function adopt(
  mesh: Mesh,
  version: number,
  why: 'first start' | 'changed file',
  context: PolicyStartContext,
): Promise<StartedPolicy> {
  const bundle: MeshBundle = mesh.bundle ?? { file: '', texts: {} };
  const policy: PolicyVersion = { version, digest: mesh.digest, signed: null, bundle };
  await sayEffective(policy, 'MESH_POLICY_UNSIGNED', context);
  await context.store.keep(policy, 'in-force');
  const named = mesh.operators.size > 0;
  const unsigned = `version ${version} of the mesh file is in force without an operator's signature`;
  const said = named
    ? `${unsigned} (${why}); sign it with maso reload`
    : why === 'first start' ? null : `${unsigned}, because it names no operators (${why})`;
  return { policy, mesh, code: 'MESH_POLICY_UNSIGNED', said };
}

function meshOf({ version, bundle, digest }: PolicyVersion, directory: string): Mesh {
  const loaded = loadBundle(bundle, directory);
  if (loaded.ok && loaded.mesh.digest === digest) return loaded.mesh;
  throw new ControlError(
    'CONTROL_POLICY_UNREADABLE',
    `Version ${version} of the policy cannot be loaded any more.`,
  );
}
