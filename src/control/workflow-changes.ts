// SPDX-License-Identifier: Apache-2.0
import type { PeerIdentity } from '../identity/credential.ts';
import { verifyPolicy } from '../identity/policy-statement.ts';
import { verifyWorkflowDenial } from '../identity/workflow-statement.ts';
import { keysWith } from '../mesh/operator-roles.ts';
import type { Mesh, MeshBundle, Operator } from '../mesh/mesh.ts';
import { changeWorkflow, widens, type AppliedChange, type WorkflowChange } from '../mesh/workflow-change.ts';
import { mayChange } from '../mesh/workflow-rights.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { Clock } from '../message/clock.ts';
import type { Approver } from '../oversight/approver.ts';
import { Turns } from '../oversight/turns.ts';
import type { Recorder } from '../recorder/entry.ts';
import type { ChangeRequest } from '../wire/frame.ts';
import { changedEntry, type PolicyAnswer } from './policies.ts';
import type { RevocationsContext } from './revocations.ts';
import {
  proposedEntry, refusedEntry, untoldEntry, type ProposedChange, type WorkflowChangeStore,
} from './workflow-change.ts';

export type WorkflowChangesContext = {
  readonly store: WorkflowChangeStore;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly mintId: () => string;
  /** Operators who set off a task, as far as it is known: nobody releases what they caused. */
  readonly causedBy: (task: string) => readonly string[];
  /** Brings people the word that a change waits for them. */
  readonly approver: Approver;
  readonly operators: () => ReadonlyMap<string, Operator>;
  readonly revocations: Pick<RevocationsContext, 'list'>;
  readonly inForce: () => { readonly version: number; readonly mesh: Mesh };
  /** The version that this change made, or null. */
  readonly versionOf: (id: string) => number | null;
  /** The one way into force, in turn with `maso reload`. */
  readonly apply: (signed: string, bundle: MeshBundle, change: AppliedChange) => Promise<PolicyAnswer>;
  readonly narrow: (base: string, change: AppliedChange) => Promise<PolicyAnswer>;
};

export type ChangeAnswer =
  | { readonly state: 'held' | 'effective'; readonly proposed: ProposedChange }
  | { readonly state: 'refused'; readonly code: string };

export type ReleaseAnswer =
  | { readonly ok: true; readonly version: number }
  | { readonly ok: false; readonly code: string };

/** As many as actions that wait (DESIGN section 6): a flood is denied and does not tire people. */
const heldMax = 3;
/** What goes by itself costs every sidecar a reload, and versions are kept for those that are away. */
const narrowedPerHourMax = 12;
const hourMs = 3_600_000;
/** A denial that is older was kept back. */
const denialMsMax = 5 * 60_000;
const keptMs = 8 * 24 * hourMs;

/** Whether a person has to release it (DESIGN 6.1, by autonomy tier). */
export function waitsForPerson(
  mesh: Mesh,
  change: WorkflowChange,
  integrity: ChangeRequest['integrity'],
): boolean {
  return mesh.autonomyTier !== 3 || widens(change) || integrity === 'untrusted';
}

/**
 * Changes of workflows that orchestrators propose: who may, what may be changed, who has to agree, and
 * when it is too late. What may be changed stands in the mesh file in force, and the result is a new
 * version of it like any other. A person's yes is their signature over that version; without one only
 * what narrows takes effect, at tier 3, and not where the agent has read what a third party wrote. A
 * change is bound to the mesh that it was made for: after any other version it is void.
 */
export class WorkflowChanges {
  readonly #context: WorkflowChangesContext;
  readonly #turns = new Turns();

  constructor(context: WorkflowChangesContext) {
    this.#context = context;
  }

  /** Asked again with the same key it answers what became of the first; rejects when a disk does. */
  propose(request: ChangeRequest, peer: PeerIdentity): Promise<ChangeAnswer> {
    return this.#turns.take(() => this.#propose(request, peer));
  }

  /** `signed`: an operator's statement over the version that the change makes. */
  release(id: string, signed: string): Promise<ReleaseAnswer> {
    return this.#turns.take(() => this.#release(id, signed));
  }

  deny(signed: string): Promise<string | null> {
    return this.#turns.take(() => this.#deny(signed));
  }

  /** Newest first, each as it stands now. */
  list(limit: number): Promise<readonly ProposedChange[]> {
    return this.#turns.take(async () =>
      Promise.all(this.#context.store.latest(limit).map((one) => this.#standing(one))));
  }

  /** What waits for a person now. */
  waiting(): Promise<readonly ProposedChange[]> {
    return this.#turns.take(() => this.#waiting());
  }

  show(id: string): Promise<ProposedChange | null> {
    return this.#turns.take(async () => {
      const known = this.#context.store.get(id);
      return known === null ? null : this.#standing(known);
    });
  }

  /** Whether an operator set it off, and so may not release it. */
  isCausedBy({ task }: Pick<ProposedChange, 'task'>, operator: string): boolean {
    return this.#context.causedBy(task).includes(operator);
  }

  async #propose(request: ChangeRequest, peer: PeerIdentity): Promise<ChangeAnswer> {
    const { store, recorder, clock, mintId, inForce } = this.#context;
    const known = store.byKey(peer.spiffeId, request.key);
    if (known !== null) {
      const alike = canonicalize(known.change) === canonicalize(request.change) && known.task === request.task;
      return alike ? answerOf(await this.#standing(known)) : refuse('CONTROL_WORKFLOW_KEY');
    }
    const { mesh } = inForce();
    const changed = changeWorkflow(mesh, request.change);
    const code = await this.#refusalOf(request, peer) ?? (changed.ok ? null : changed.code);
    const nowMs = clock.nowMs();
    const proposed: ProposedChange = {
      id: mintId(), agent: peer.name, spiffeId: peer.spiffeId, key: request.key,
      task: request.task, mandate: request.mandate, change: request.change,
      base: mesh.digest, digest: changed.ok ? changed.mesh.digest : mesh.digest,
      proposedAt: nowMs, expiresAt: nowMs + mesh.limits.approvalTimeoutMs,
      state: 'held', code: null, version: null,
      waits: waitsForPerson(mesh, request.change, request.integrity),
    };
    if (code !== null) {
      await recorder.record([refusedEntry(proposed, code, 'node', nowMs)]);
      return refuse(code);
    }
    await recorder.record([proposedEntry(proposed)], { privileged: true });
    await store.save(proposed);
    await store.prune(nowMs - keptMs);
    if (proposed.waits) {
      this.#tell(proposed);
      return { state: 'held', proposed };
    }
    const answer = await this.#context.narrow(proposed.base, appliedOf(proposed));
    return answerOf(answer.ok ? await this.#effective(proposed, answer.version)
      : await this.#refused(proposed, answer.code, 'node'));
  }

  /** Everything but the change itself. */
  async #refusalOf(request: ChangeRequest, peer: PeerIdentity): Promise<string | null> {
    const { store, clock, inForce, revocations: { list } } = this.#context;
    const { version, mesh } = inForce();
    if (!mayChange(mesh, peer.name, request.change.workflow)) return 'CONTROL_WORKFLOW_DENIED';
    if (list.isRevoked(peer)) return 'IDENTITY_REVOKED';
    if (list.isTaskEnded(request.task)) return 'CONTROL_WORKFLOW_OVER';
    if (request.policyVersion !== version) return 'CONTROL_WORKFLOW_STALE';
    const waiting = (await this.#waiting()).filter(({ agent }) => agent === peer.name);
    const since = clock.nowMs() - hourMs;
    const narrowed = store.latest(narrowedPerHourMax)
      .filter(({ state, waits, proposedAt }) => state === 'effective' && !waits && proposedAt > since);
    const full = waiting.length >= heldMax || narrowed.length >= narrowedPerHourMax;
    return full ? 'CONTROL_WORKFLOW_LIMIT' : null;
  }

  async #waiting(): Promise<readonly ProposedChange[]> {
    const held = this.#context.store.held();
    const standing = await Promise.all(held.map((one) => this.#standing(one)));
    return standing.filter(({ state }) => state === 'held');
  }

  /** Nobody waits for the word to arrive: the change is held, told or not. */
  #tell(proposed: ProposedChange): void {
    const { approver, recorder, clock } = this.#context;
    const { id, agent, change: { workflow, open, close }, expiresAt } = proposed;
    approver
      .waiting({ waits: 'change', change: id, workflow, agent, opens: open.length, closes: close.length, expiresAt })
      .catch(() => recorder.record([untoldEntry(proposed, approver.name, clock.nowMs())]))
      .catch(() => {
        // Not on record either: the recorder has said itself that it is unavailable.
        return undefined;
      });
  }

  async #release(id: string, signed: string): Promise<ReleaseAnswer> {
    const { store, recorder, clock, operators, inForce, apply } = this.#context;
    const known = store.get(id);
    if (known === null) return { ok: false, code: 'CONTROL_WORKFLOW_UNKNOWN' };
    const standing = await this.#standing(known);
    if (standing.state !== 'held') return { ok: false, code: standing.code ?? 'CONTROL_WORKFLOW_OVER' };
    const verified = verifyPolicy(signed, keysWith(operators(), 'policy'));
    if (verified.ok && this.isCausedBy(standing, verified.statement.operator)) {
      return { ok: false, code: 'OVERSIGHT_APPROVAL_OWN_CAUSE' };
    }
    const changed = changeWorkflow(inForce().mesh, standing.change);
    if (!changed.ok) return changed;
    const answer = await apply(signed, changed.bundle, appliedOf(standing));
    if (!answer.ok) return answer;
    const version = { version: answer.version, digest: standing.digest, signed };
    // The signature over the version is on record; this says what it was for.
    await recorder.record([changedEntry(version, appliedOf(standing), clock.nowMs())]);
    await this.#effective(standing, answer.version);
    return { ok: true, version: answer.version };
  }

  async #deny(signed: string): Promise<string | null> {
    const { store, clock, operators } = this.#context;
    const verified = verifyWorkflowDenial(signed, keysWith(operators(), 'policy'));
    if (!verified.ok) return verified.code;
    const { change, operator, at } = verified.statement;
    if (!(Math.abs(clock.nowMs() - at) <= denialMsMax)) return 'CONTROL_WORKFLOW_OVER';
    const known = store.get(change);
    if (known === null) return 'CONTROL_WORKFLOW_UNKNOWN';
    const standing = await this.#standing(known);
    if (standing.state !== 'held') return standing.code ?? 'CONTROL_WORKFLOW_OVER';
    await this.#refused(standing, 'CONTROL_WORKFLOW_NOT_APPROVED', `operator:${operator}`);
    return null;
  }

  /** What has happened to a held change meanwhile is found, and kept, when somebody looks. */
  async #standing(known: ProposedChange): Promise<ProposedChange> {
    if (known.state !== 'held') return known;
    const version = this.#context.versionOf(known.id);
    if (version !== null) return this.#effective(known, version);
    const code = this.#overBy(known);
    return code === null ? known : this.#refused(known, code, 'node');
  }

  #overBy({ agent, spiffeId, task, change, base, expiresAt }: ProposedChange): string | null {
    const { clock, inForce, revocations: { list } } = this.#context;
    const { mesh } = inForce();
    if (list.isSenderRevoked(agent, spiffeId)) return 'IDENTITY_REVOKED';
    if (list.isTaskEnded(task)) return 'CONTROL_WORKFLOW_OVER';
    if (!mayChange(mesh, agent, change.workflow)) return 'CONTROL_WORKFLOW_DENIED';
    if (mesh.digest !== base) return 'CONTROL_WORKFLOW_STALE';
    return clock.nowMs() < expiresAt ? null : 'CONTROL_WORKFLOW_NOT_APPROVED';
  }

  async #effective(proposed: ProposedChange, version: number): Promise<ProposedChange> {
    const effective: ProposedChange = { ...proposed, state: 'effective', version };
    await this.#context.store.save(effective);
    return effective;
  }

  async #refused(proposed: ProposedChange, code: string, actor: string): Promise<ProposedChange> {
    const { store, recorder, clock } = this.#context;
    const refused: ProposedChange = { ...proposed, state: 'refused', code };
    await recorder.record([refusedEntry(proposed, code, actor, clock.nowMs())], { privileged: true });
    await store.save(refused);
    return refused;
  }
}

function appliedOf({ id, agent, change }: ProposedChange): AppliedChange {
  return { ...change, id, by: `agent:${agent}` };
}

function answerOf(proposed: ProposedChange): ChangeAnswer {
  const { state, code } = proposed;
  if (state === 'refused') return refuse(code ?? 'CONTROL_WORKFLOW_OVER');
  return { state, proposed };
}

function refuse(code: string): ChangeAnswer {
  return { state: 'refused', code };
}
