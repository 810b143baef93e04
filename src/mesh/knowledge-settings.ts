// SPDX-License-Identifier: Apache-2.0
import type { Classification } from '../message/envelope.ts';

/** A source of knowledge that operators fill and agents query (DP-1.4, DP-2.2, DP-3.1). */
export type KnowledgeSource = {
  readonly name: string;
  /** Data domain whose policy decides on every query. */
  readonly domain: string;
  /** Of its documents, unless one says more. */
  readonly classification: Classification;
  /** Agents that may query it. */
  readonly readers: ReadonlySet<string>;
  /** Where its documents come from, as its operator says. */
  readonly origin: string;
  /** From ingest until a document is no longer served. */
  readonly maxAgeMs: number;
  /** Times as many pieces are found as are asked for, before those are left out that may not be seen. */
  readonly overFetch: number;
  /** What happens to a piece in which a control found something. */
  readonly flagged: 'withhold' | 'serve';
  readonly piecesMax: number;
};

/** What agents may remember beyond one process (DP-2.4, DP-3.2, DP-3.3). */
export type MemorySettings = {
  /** Data domain whose policy decides on every read and write. */
  readonly domain: string;
  /** Agents that have a memory. */
  readonly agents: ReadonlySet<string>;
  /** `task`: an entry is seen in its own task alone; `agent`: in every task of its agent. */
  readonly per: 'task' | 'agent';
  /** Members of an entry that it can be found by; their values are indexed blindly. */
  readonly index: readonly string[];
  readonly retentionMs: number;
  /** After this an entry counts half as much as a fresh one where not all can be given. */
  readonly halfLifeMs: number;
  /** Of one agent; beyond it nothing is remembered. */
  readonly entriesMax: number;
  /** How often entries are looked through for what contradicts, is altered, or is over. */
  readonly analyseEveryMs: number;
};

/** Personal data that travels as tokens and is shown to few (the framework's options for health data). */
export type TokenSettings = {
  /** Data domain whose policy decides on who is shown values. */
  readonly domain: string;
  /** Members whose texts are replaced, at whatever depth, as `memberForm` writes them. */
  readonly members: ReadonlySet<string>;
  /** Agents that are shown values; to everybody else they are tokens. */
  readonly sees: ReadonlySet<string>;
};

const loopback: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

/** A Postgres database with pgvector that keeps sealed items; absent is a SQLite file of the node. */
export type KnowledgeStoreSettings = {
  /** Name or address; or the folder of a unix socket, which begins with `/`. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Schema that this mesh has to itself. */
  readonly schema: string;
  /** Never in the mesh file: every sidecar reads that. */
  readonly password:
    | { readonly kind: 'file'; readonly path: string }
    | { readonly kind: 'env'; readonly name: string }
    | null;
  /** Authorities of the server's certificate, PEM; null: those of the system. */
  readonly caFile: string | null;
};

/**
 * `socket`: the folder says who serves it. `clear`: loopback where no authority is named; any process of
 * the machine that has the port may answer, so no password is shown to it.
 */
export function transportOf(
  { host, caFile }: Pick<KnowledgeStoreSettings, 'host' | 'caFile'>,
): 'socket' | 'clear' | 'tls' {
  if (host.startsWith('/')) return 'socket';
  return loopback.has(host) && caFile === null ? 'clear' : 'tls';
}
