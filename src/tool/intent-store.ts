// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { RiskClass } from '../mesh/mesh.ts';
import type { JsonValue } from '../message/json.ts';
import type { AdmittedRequest } from './admitted.ts';

/** What the gate is about to do, written down before it is done. */
export type Intent = {
  /** SHA-256 (base64url) over executor, requester and the requester's idempotency key. */
  readonly key: string;
  readonly requestId: string;
  readonly executor: string;
  readonly requester: string;
  readonly action: string | null;
  readonly tool: string;
  readonly operation: string;
  readonly argumentsDigest: string;
  readonly write: boolean;
  readonly risk: RiskClass;
  readonly privileged: boolean;
  readonly task: string | null;
  /** Id of the mandate under which it is done; null for an agent's own read. */
  readonly mandate: string | null;
  /** Milliseconds since 1970. */
  readonly at: number;
};

/** The known end of a call; the result is kept so that a repeated request gets the same answer. */
export type StoredOutcome = {
  readonly status: 'DONE';
  readonly result: JsonValue;
  /** Milliseconds since 1970. */
  readonly at: number;
};

export type Begun =
  | { readonly state: 'new' }
  | { readonly state: 'done'; readonly outcome: StoredOutcome }
  | { readonly state: 'in-doubt'; readonly code: string }
  | { readonly state: 'running' }
  /** The key stands for another call; nothing was written. */
  | { readonly state: 'reused' };

/** What is kept of one call. */
export type KeptCall = {
  readonly intent: Intent;
  /** Null while the call is open, or in doubt. */
  readonly outcome: StoredOutcome | null;
  /** Why the call is in doubt; null when it is not. */
  readonly code: string | null;
};

/** How a call in doubt was settled; kept for good, so that it is settled once. */
export type Settlement = {
  /** Id of the operator's statement. */
  readonly statement: string;
  readonly end: 'done' | 'not-run';
  /** Milliseconds since 1970. */
  readonly at: number;
};

export type DoubtfulIntent = Intent & { readonly code: string };

/** An end that is durable here and not yet known to be in the recorder. */
export type UnrecordedEnd = {
  readonly intent: Intent;
  readonly end: 'done' | 'in-doubt';
  readonly code: string | null;
};

/**
 * The gate's durable memory of calls (G10). Every method that changes something resolves when the
 * change is durable and rejects when it is not; then nothing was changed. One gate is the only
 * writer of its rows.
 *
 * An intent is open from `begin` until `settle`, `markInDoubt` or `forget`. What is open when the
 * gate starts was interrupted by a crash.
 */
export interface IntentStore {
  begin(intent: Intent): Promise<Begun>;
  /** The call ended and the outcome is known. */
  settle(key: string, outcome: StoredOutcome): Promise<void>;
  /** The call may have had its effect; `code` says why nobody knows. */
  markInDoubt(key: string, code: string): Promise<void>;
  /**
   * Opens a doubtful call again, begun at `atMs`; only for operations that take the idempotency key.
   */
  reopen(key: string, atMs: number): Promise<void>;
  /**
   * A person found out how a doubtful call ended. Done, it is kept as done without a result; not
   * run, it is forgotten, so that its key may be used again. False, and nothing is changed, where the
   * call is no longer in the doubt that this intent stands for.
   */
  settleDoubt(intent: DoubtfulIntent, settlement: Settlement): Promise<boolean>;
  /** The statement that settled the call for this request; null when none has. */
  settlementOf(requestId: string): string | null;
  /** Nothing was done: the key may be used again. */
  forget(key: string): Promise<void>;
  /** The end of this call is in the recorder; ignored when another request opened the intent. */
  markRecorded(key: string, requestId: string): Promise<void>;
  /** The call under this key, or null when there is none. Throws when it cannot be read. */
  find(key: string): KeptCall | null;
  /**
   * Whether anybody but the executor had this action begun with these arguments after that call, however it
   * ended. Throws when it cannot be read.
   */
  isFollowedBy(intent: Intent, action: string, argumentsDigest: string): boolean;
  openIntents(): readonly Intent[];
  inDoubt(): readonly DoubtfulIntent[];
  unrecorded(): readonly UnrecordedEnd[];
}

export function intentKey(executor: string, requester: string, idempotencyKey: string): string {
  // A JSON array keeps the three apart whatever characters the requester puts into the key.
  const text = JSON.stringify([executor, requester, idempotencyKey]);
  return createHash('sha256').update(text).digest('base64url');
}

export function intentOf(request: AdmittedRequest, nowMs: number): Intent {
  const fields = request.fields;
  return {
    key: intentKey(fields.executor, fields.requester, fields.idempotencyKey),
    requestId: fields.id,
    executor: fields.executor,
    requester: fields.requester,
    action: fields.action,
    tool: fields.tool,
    operation: fields.operation,
    argumentsDigest: request.argumentsDigest,
    write: fields.write,
    risk: fields.risk,
    privileged: fields.privileged,
    task: fields.task,
    mandate: fields.mandate ?? null,
    at: nowMs,
  };
}

/** Two requests with one key are the same call when, and only when, this is the same. */
export function callDigest(intent: Intent): string {
  const { action, tool, operation, argumentsDigest } = intent;
  const text = JSON.stringify([action, tool, operation, argumentsDigest]);
  return createHash('sha256').update(text).digest('base64url');
}
