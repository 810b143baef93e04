// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../message/canonical-json.ts';
import type { Label } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';
import type { AgentRole } from '../mesh/mesh.ts';
import type { KnowledgeCode } from './codes.ts';

/** `flagged`: a control or the analysis found something; `superseded`: a later version is there. */
export type ItemState = 'current' | 'flagged' | 'superseded' | 'quarantined';

/**
 * What is known of a kept item without opening it: a piece of a document of a source, or an entry of an
 * agent's memory. Everything but `state` and `reason` is authenticated with what is sealed.
 */
export type ItemFacts = {
  /** ULID. */
  readonly id: string;
  /** `source/NAME` or `memory/AGENT`. */
  readonly shelf: string;
  /** Of memory: the task that the entry was written in. */
  readonly task: string | null;
  /** Of a source: name of the document, which piece of it this is, and of how many. */
  readonly document: string | null;
  readonly part: number;
  readonly parts: number;
  readonly label: Label;
  readonly domain: string;
  /** Roles that the domain allowed when it was kept. */
  readonly roles: readonly AgentRole[];
  /** Digest of the mandate that it was written under; null without one. */
  readonly mandate: string | null;
  /** Where it comes from: what the source states, or `agent:NAME`. */
  readonly origin: string;
  /** Agents that may see it, of those that may query the source; null is all of them. */
  readonly readers: readonly string[] | null;
  /** HMAC-SHA256 over the canonical value under the key of the shelf, base64url. */
  readonly digest: string;
  /** Milliseconds since 1970. */
  readonly writtenAt: number;
  readonly expiresAt: number;
  /** Run of the agent process that wrote it. */
  readonly incarnation: string | null;
  /** Messages, reads and items that its writer had been given before; newest last. */
  readonly causes: readonly string[];
  /** Of memory: whose instructions had reached its writer. Absent: not known, or a source's. */
  readonly principals?: readonly string[];
  readonly state: ItemState;
  /** Why it is not `current`. */
  readonly reason: KnowledgeCode | null;
};

/** An item as it lies in a store. */
export type StoredItem = ItemFacts & {
  /** Id of the data key. */
  readonly key: string;
  readonly nonce: string;
  /** Ends with the tag; filled up so that its length says little. */
  readonly ciphertext: string;
  /** Blind terms of its indexed members. */
  readonly terms: readonly string[];
  /** Blind vector of its words; null in memory. */
  readonly vector: Float32Array | null;
};

/** An opened item as its reader gets it. */
export type OpenedItem = { readonly facts: ItemFacts; readonly value: JsonValue };

export function memoryShelf(agent: string): string {
  return `memory/${agent}`;
}

export function sourceShelf(source: string): string {
  return `source/${source}`;
}

/** What the data key of an item is bound to; one key serves all items with the same binding. */
export function bindingOfItem(
  { shelf, domain, roles, mandate, label }: Pick<ItemFacts, 'shelf' | 'domain' | 'roles' | 'mandate' | 'label'>,
): string {
  const { classification } = label;
  return canonicalize({ classification, domain, mandate, roles: [...roles], shelf });
}

/** Authenticated with the ciphertext: an item with another fact, or moved elsewhere, does not open. */
export function contextOfItem(item: Omit<ItemFacts, 'state' | 'reason'> & { readonly key: string }): string {
  const { classification, integrity, origins } = item.label;
  return `kept-item/1 ${canonicalize({
    id: item.id,
    shelf: item.shelf,
    task: item.task,
    document: item.document,
    part: item.part,
    parts: item.parts,
    label: { classification, integrity, origins: [...origins] },
    domain: item.domain,
    roles: [...item.roles],
    mandate: item.mandate,
    origin: item.origin,
    readers: item.readers === null ? null : [...item.readers],
    digest: item.digest,
    writtenAt: item.writtenAt,
    expiresAt: item.expiresAt,
    incarnation: item.incarnation,
    causes: [...item.causes],
    ...(item.principals === undefined ? {} : { principals: [...item.principals] }),
    key: item.key,
  })}`;
}
