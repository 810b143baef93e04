// SPDX-License-Identifier: Apache-2.0
import type { Label } from '../message/envelope.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';

/** Items in one answer at most. */
export const givenMax = 16;
/** Values or tokens of one ask at most. */
export const tokensMax = 64;
/** Characters of a value that a token may stand for at most. */
export const tokenLengthMax = 4096;
/** Members that one recall may ask by at most. */
export const whereMax = 8;

type Asked = {
  /** ULID of the read or write; the same one is done once. */
  readonly id: string;
  readonly task: string;
  /** Run of the agent process that asks. */
  readonly incarnation: string;
};

/** What a sidecar asks for its agent; label, causes and mandate are stamped by it. */
export type KnowledgeAsk =
  | (Asked & {
      readonly kind: 'remember';
      readonly value: JsonValue;
      readonly label: Label;
      readonly causes: readonly string[];
      /** Whose instructions had reached its writer; at most 32, or `*` alone for more (G4). */
      readonly principals: readonly string[];
      /** Digest of the mandate that the agent holds in the task. */
      readonly mandate: string | null;
      /** A content control had a doubt about it. */
      readonly suspect: boolean;
    })
  | (Asked & { readonly kind: 'recall'; readonly where: JsonObject; readonly limit: number })
  | (Asked & {
      readonly kind: 'query';
      readonly source: string;
      readonly text: string;
      readonly limit: number;
    })
  /** A token for each personal value; answered in their order. */
  | (Asked & { readonly kind: 'tokenise'; readonly values: readonly string[] })
  /** Pairs of token and value, for whom the mesh file shows them to. */
  | (Asked & { readonly kind: 'reveal'; readonly tokens: readonly string[] });

/** What is handed over of an item. */
export type GivenItem = {
  readonly id: string;
  readonly value: JsonValue;
  readonly label: Label;
  readonly origin: string;
  /** Of a source: name of the document and the piece of it. */
  readonly document: string | null;
  readonly part: number;
  readonly writtenAt: number;
  /** Of memory: how much it counts, 1 when fresh, half as much after each half-life. Of a source: nearness. */
  readonly weight: number;
  /** Whose instructions led to it; they are principals of whoever is given it. */
  readonly principals: readonly string[];
};

export type KnowledgeAnswer =
  | { readonly ok: true; readonly items: readonly GivenItem[] }
  | { readonly ok: false; readonly code: string };
