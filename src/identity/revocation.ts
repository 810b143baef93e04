// SPDX-License-Identifier: Apache-2.0
import { isDigest, isName, isUlid } from '../message/identifiers.ts';
import type { PeerIdentity } from './credential.ts';
import { parseSpiffeId } from './spiffe-id.ts';

/** Of identities, and of what was granted to them. */
export const revocationKinds = ['agent', 'instance', 'certificate', 'mandate', 'task'] as const;

/**
 * What is revoked: every instance of an agent, one instance with all certificates it ever had, one
 * certificate by its thumbprint, one mandate with all that were narrowed from it, or a task with
 * every mandate for it. Only an agent's name can be reinstated.
 */
export type RevocationTarget = {
  readonly kind: (typeof revocationKinds)[number];
  /** Name of the mesh file, SPIFFE id, SHA-256 of DER or of a chain in base64url, or ULID. */
  readonly value: string;
};

/** One step of the revocation list. Versions ascend, and the newest step on a target holds. */
export type RevocationChange = {
  readonly version: number;
  /** Of the operator's statement. */
  readonly id: string;
  readonly op: 'revoke' | 'reinstate';
  readonly target: RevocationTarget;
  /** When the node applied it, milliseconds since 1970. */
  readonly at: number;
  /**
   * The operator's statement; null where it was not passed on, as nobody asks why to refuse, and
   * where an originator ended its own task.
   */
  readonly signed: string | null;
  /** The agent that ended its task, or `workflow:NAME`; absent where an operator spoke. */
  readonly by?: string;
};

/** Steps as they travel: complete after `since`, up to `version`. */
export type RevocationUpdate = {
  readonly since: number;
  readonly version: number;
  readonly changes: readonly RevocationChange[];
};

/** As much of an identity as a revocation can name. */
export type Revocable = Pick<PeerIdentity, 'spiffeId' | 'name' | 'thumbprint' | 'lineage'>;

/** Whether identities still count. Answers at once; asked on the path of every message. */
export type RevocationView = {
  readonly version: number;
  readonly isRevoked: (identity: Revocable) => boolean;
  /** True where the agent as a whole may not join. */
  readonly isNameRevoked: (agent: string) => boolean;
  /** For a message kept earlier, whose certificate is not at hand. */
  readonly isSenderRevoked: (agent: string, spiffeId: string) => boolean;
  /** By the id of the mandate itself: whoever asks goes through the chain. */
  readonly isMandateRevoked: (mandate: string) => boolean;
  readonly isTaskEnded: (task: string) => boolean;
};

/** Whether an operator really lifted this revocation; asked by those who only heard of it. */
export type MayReinstate = (change: RevocationChange, lifted: RevocationChange) => boolean;

/** No certificate lives longer than an hour; what is dead for a day needs no refusal any more. */
const deadAfterMs = 24 * 3_600_000;
/** No mandate lasts longer than a week after the start of its task. */
const grantDeadAfterMs = 8 * 24 * 3_600_000;

/**
 * The revocation list of a node, or a sidecar's copy of it. It only ever moves forward: an older
 * version is not taken, whoever offers it. Revocations of instances and certificates are final;
 * they leave the list when nothing they name can be valid any more, which changes no answer.
 */
export class RevocationList implements RevocationView {
  readonly #latest = new Map<string, RevocationChange>();
  /** Ascending. Names keep their history: each lifting is checked against what it lifts. */
  readonly #changes: RevocationChange[] = [];
  #version: number;

  /** `changes` as kept, in any order; `version` may lie above them all. */
  constructor(changes: readonly RevocationChange[], version: number, nowMs: number) {
    this.#version = version;
    for (const change of [...changes].sort((a, b) => a.version - b.version)) {
      if (!isDead(change, nowMs)) this.#take(change);
    }
  }

  get version(): number {
    return this.#version;
  }

  /** A spawned agent falls with any of its ancestors, before anybody has said so of itself. */
  isRevoked({ spiffeId, name, thumbprint, lineage }: Revocable): boolean {
    if (this.#latest.size === 0) return false;
    return (
      this.isSenderRevoked(name, spiffeId) ||
      this.#holds('certificate', thumbprint) ||
      (lineage?.ancestors ?? []).some((id) => this.#isInstanceRevoked(id))
    );
  }

  #isInstanceRevoked(spiffeId: string): boolean {
    const name = parseSpiffeId(spiffeId)?.name;
    return name === undefined || this.isSenderRevoked(name, spiffeId);
  }

  isNameRevoked(agent: string): boolean {
    return this.#holds('agent', agent);
  }

  isSenderRevoked(agent: string, spiffeId: string): boolean {
    return this.#holds('agent', agent) || this.#holds('instance', spiffeId);
  }

  isMandateRevoked(mandate: string): boolean {
    return this.#holds('mandate', mandate);
  }

  isTaskEnded(task: string): boolean {
    return this.#holds('task', task);
  }

  /** The step that holds for this target now; null where there is none. */
  latest(target: RevocationTarget): RevocationChange | null {
    return this.#latest.get(keyOf(target)) ?? null;
  }

  /** Every step that still matters, oldest first. */
  changes(): readonly RevocationChange[] {
    return this.#changes;
  }

  /**
   * Takes the steps that this list did not have and gives them. Null where the update cannot be
   * taken: it leaves a gap, is not in order, or lifts what may not be lifted; then nothing changes.
   * An update that is older than the list brings nothing.
   */
  update(update: RevocationUpdate, mayReinstate: MayReinstate): readonly RevocationChange[] | null {
    if (!isSound(update) || update.since > this.#version) return null;
    if (update.version <= this.#version) return [];
    const taken = update.changes.filter((change) => change.version > this.#version);
    if (!this.#mayTake(taken, mayReinstate)) return null;
    for (const change of taken) this.#take(change);
    this.#version = update.version;
    return taken;
  }

  /** The whole list in parts of at most this many steps, for somebody who may have none of it. */
  updates(stepsMax: number): readonly RevocationUpdate[] {
    const parts: RevocationUpdate[] = [];
    let since = 0;
    for (let start = 0; start < this.#changes.length; start += stepsMax) {
      const changes = this.#changes.slice(start, start + stepsMax);
      const isLast = start + stepsMax >= this.#changes.length;
      const version = isLast ? this.#version : (changes.at(-1)?.version ?? since);
      parts.push({ since, version, changes });
      since = version;
    }
    return parts.length > 0 ? parts : [{ since, version: this.#version, changes: [] }];
  }

  #mayTake(changes: readonly RevocationChange[], mayReinstate: MayReinstate): boolean {
    const earlier = new Map<string, RevocationChange>();
    return changes.every((change) => {
      const key = keyOf(change.target);
      const lifted = earlier.get(key) ?? this.#latest.get(key);
      earlier.set(key, change);
      if (change.op === 'revoke' || lifted?.op !== 'revoke') return true;
      return change.target.kind === 'agent' && mayReinstate(change, lifted);
    });
  }

  #holds(kind: RevocationTarget['kind'], value: string): boolean {
    return this.#latest.get(`${kind} ${value}`)?.op === 'revoke';
  }

  #take(change: RevocationChange): void {
    this.#latest.set(keyOf(change.target), change);
    this.#changes.push(change);
    this.#version = Math.max(this.#version, change.version);
  }
}

/** A step as it is passed on: only who lifts a revocation has to show that it may. */
export function passedOn(change: RevocationChange): RevocationChange {
  const { version, id, op, target, at, signed } = change;
  return { version, id, op, target, at, signed: op === 'revoke' ? null : signed };
}

/** True when the target names something of this trust domain that can be revoked. */
export function isRevocationTarget(target: RevocationTarget, trustDomain: string): boolean {
  switch (target.kind) {
    case 'agent':
      return isName(target.value);
    case 'instance': {
      const id = parseSpiffeId(target.value);
      return id?.kind === 'agent' && id.trustDomain === trustDomain;
    }
    case 'certificate':
    case 'mandate':
      return isDigest(target.value);
    case 'task':
      return isUlid(target.value);
    default:
      return target.kind satisfies never;
  }
}

function isSound({ since, version, changes }: RevocationUpdate): boolean {
  let last = since;
  if (!(Number.isSafeInteger(since) && since >= 0 && Number.isSafeInteger(version))) return false;
  for (const change of changes) {
    if (!(change.version > last && change.version <= version)) return false;
    last = change.version;
  }
  return version >= since;
}

function isDead(change: RevocationChange, nowMs: number): boolean {
  const { kind } = change.target;
  if (kind === 'agent') return false;
  const isGrant = kind === 'mandate' || kind === 'task';
  return nowMs > change.at + (isGrant ? grantDeadAfterMs : deadAfterMs);
}

function keyOf(target: RevocationTarget): string {
  return `${target.kind} ${target.value}`;
}
