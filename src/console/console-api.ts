// SPDX-License-Identifier: Apache-2.0
import type { OperatorRight, OperatorRole } from '../mesh/operator-roles.ts';
import type { JsonObject } from '../message/json.ts';
import type { ApprovalQuery } from '../oversight/search.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import type { PasskeyStore } from './passkeys.ts';
import type { MapPlace } from './mesh-map.ts';
import type { Session } from './sessions.ts';

/** Who asks; every view takes it, because what it shows may depend on it. */
export type Viewer = {
  readonly operator: string;
  readonly roles: readonly OperatorRole[];
  readonly may: (right: OperatorRight) => boolean;
};

/** What one signed statement came to; the code is null when it holds. */
export type SignedAnswer = { readonly code: string | null } & JsonObject;

/** Kinds of signed statements that the console sends, each with the right that it takes. */
export const statementRights = {
  decisions: 'decide',
  revocations: 'operate',
  settlements: 'operate',
  pace: 'stop',
  releases: 'policy',
  denials: 'policy',
} as const satisfies { readonly [kind: string]: OperatorRight };

export type StatementPath = keyof typeof statementRights;

/** What the console may ask of a running node; the node's wiring implements it. */
export interface ConsoleApi {
  /** The operator of this name in the mesh file in force, or the local one; null: nobody. */
  viewer(operator: string): Viewer | null;
  /** Views by name; null for one that is not there, or names nothing. Never holds a secret. */
  view(name: string, id: string | null, viewer: Viewer, place: MapPlace): Promise<JsonObject | null>;
  /** Box of the map that an agent stands in; null for a name that the mesh file does not have. */
  groupOf(agent: string): string | null;
  approvals(query: ApprovalQuery, viewer: Viewer): JsonObject;
  entries(query: { readonly [name: string]: string }, limit: number): Promise<JsonObject>;
  /** Takes a statement that an operator signed in the browser; `about` names what a release is for. */
  take(path: StatementPath, signed: string, about: string | null): Promise<SignedAnswer>;
  /** Durable entries, and how many there are. */
  readonly log: {
    size(): number;
    read(from: number, to: number): AsyncIterable<RecordedEntry>;
    /** Lines as they stand in the log, for the verifier in the browser. */
    lines(from: number, to: number): AsyncIterable<Uint8Array>;
    /** A file of the log by its published path; null when there is none. */
    file(path: string): Promise<Uint8Array | null>;
  };
  readonly passkeys: PasskeyStore;
  /** Endorses at once where the node holds the operator's key; else null, and a person does. */
  endorse(session: Session, publicKey: JsonObject, credential: string): string | null;
  /** An operator signed in or out, registered a passkey, or was refused: on record. */
  note(kind: 'session.opened' | 'session.ended' | 'identity.refused', operator: string | null, code: string | null): void;
}
