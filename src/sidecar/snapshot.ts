// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { canonicalize } from '../message/canonical-json.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { PaceClamp } from '../pace/pace-view.ts';
import type { SidecarContext } from './context.ts';
import type { InboxMessage, InboxState } from './ports.ts';

/** Keeps what agents stood in; `save` resolves when it survives a crash. The oldest make room. */
export interface SnapshotStore {
  save(id: string, text: string): Promise<void>;
}

/** Fits one frame to the node, so that it leaves before the account that ends this identity. */
export const snapshotBytesMax = 600_000;
/** What a node keeps it as for custodians; no tool of a mesh file has this name. */
export const snapshotTool = { tool: 'pace', operation: 'snapshot' } as const;
const messagesMax = 512;

/** What of a snapshot goes on record: where it is, and what it is to be held against. */
export type Snapshot = {
  readonly id: string;
  /** SHA-256 of the canonical text, base64url. */
  readonly digest: string;
  readonly bytes: number;
  /** Messages that had no room in it; they stay in the sidecar's store. */
  readonly left: number;
};

const states: readonly InboxState[] = ['handed', 'working', 'judging', 'held', 'pending'];

/**
 * Captures all that an agent stood in when PACE contained or ended it: what it had read and as what, the
 * messages that it had in hand and those that waited, its mandates, its calls in doubt. The text is durable in the
 * sidecar's own directory, where custodians are named also with them, and sealed by its digest, which goes into the
 * log: nobody changes it afterwards unnoticed. Null in milder phases, where the agent goes on and keeps its
 * state. Never rejects: what cannot be captured is said, and does not keep the agent from being stopped.
 */
export async function takeSnapshot(
  clamp: PaceClamp,
  paceVersion: number,
  context: SidecarContext,
): Promise<Snapshot | null> {
  const isCaptured = clamp.phase === 'CONTINGENCY' || clamp.phase === 'EMERGENCY';
  if (!isCaptured || clamp.allows !== 'nothing') return null;
  const { clock, random, snapshots, link, mesh, report } = context;
  try {
    const id = mintUlid(clock, random);
    const { state, left } = fitting(id, clamp, paceVersion, context);
    const text = canonicalize(state);
    const digest = createHash('sha256').update(text).digest('base64url');
    await snapshots.save(id, text);
    // Sent before the account of this stop, and not waited for: the node ends this identity on that.
    if (mesh.recorder?.forensic !== undefined && mesh.recorder.forensic !== null) {
      link.keep({ call: id, task: id, ...snapshotTool, payload: state }).catch(report);
    }
    return { id, digest, bytes: Buffer.byteLength(text), left };
  } catch (failure) {
    // The account says that there is none; the stop holds.
    report(failure);
    return null;
  }
}

/** As many messages as fit, those that the agent had in hand first. */
function fitting(
  id: string,
  clamp: PaceClamp,
  paceVersion: number,
  context: SidecarContext,
): { readonly state: JsonObject; readonly left: number } {
  const all = states.flatMap((state) => context.store.messages(state, messagesMax + 1));
  const frame = stateOf(id, clamp, paceVersion, context);
  let bytes = Buffer.byteLength(canonicalize(frame));
  const messages: JsonValue[] = [];
  for (const message of all.slice(0, messagesMax)) {
    const shown = shownMessage(message);
    bytes += Buffer.byteLength(canonicalize(shown)) + 1;
    if (bytes > snapshotBytesMax) break;
    messages.push(shown);
  }
  return { state: { ...frame, messages }, left: all.length - messages.length };
}

function stateOf(
  id: string,
  clamp: PaceClamp,
  paceVersion: number,
  { store, gate, agent, clock, credential, policy, mesh }: SidecarContext,
): JsonObject {
  const incarnation = store.incarnation();
  const read = incarnation === null ? null : store.context(incarnation.id);
  return {
    format: 'maso-snapshot/1',
    id,
    agent: agent.name,
    instance: credential().spiffeId,
    at: clock.nowMs(),
    phase: clamp.phase,
    paceVersion,
    policyVersion: policy.version,
    meshDigest: mesh.digest,
    incarnation: incarnation?.id ?? null,
    read: read === null ? null : {
      digest: read.digest, count: read.count,
      label: { ...read.label, origins: [...read.label.origins] }, principals: [...read.principals],
    },
    mandates: incarnation === null ? [] : store.mandates(incarnation.id).slice(-64).map((held) => ({ ...held })),
    inDoubt: gate.inDoubt().slice(0, 64).map(({ requestId, tool, operation, action, code }) =>
      ({ requestId, tool, operation, action, code })),
  };
}

function shownMessage({ body, state, incarnation }: InboxMessage): JsonObject {
  const { id, from, type, schema, domain, task, label, payload, issuedAt, mandate } = body;
  return {
    id, from, type, schema, domain, task, issuedAt, mandate, payload, state, incarnation,
    label: { ...label, origins: [...label.origins] },
  };
}
