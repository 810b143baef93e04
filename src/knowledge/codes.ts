// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What becomes of queries, entries of memory, and documents. */
export const knowledgeCodes = {
  KNOWLEDGE_DENIED: {
    means: 'The agent may not query this source, or the mesh file declares no such source.',
    mend: 'Name the agent under readers of the source; repeated, look at the agent.',
    agentSees: 'REFUSED',
  },
  KNOWLEDGE_NO_MEMORY: {
    means: 'The agent has no memory: the mesh file gives it none, or it was spawned for one task.',
    mend: 'Name the agent under memory.agents; what a spawned agent learns goes to its parent.',
    agentSees: 'REFUSED',
  },
  KNOWLEDGE_FIELD_UNKNOWN: {
    means: 'A member is asked for that memory is not indexed by, or with a value that is no scalar.',
    mend: 'Ask by the members under memory.index, or add the member there.',
    agentSees: 'INVALID',
  },
  KNOWLEDGE_ENTRY_TOO_LARGE: {
    means: 'An entry, a document or an answer is larger than what one may be.',
    mend: 'Remember less at once; split the document.',
    agentSees: 'INVALID',
  },
  KNOWLEDGE_TOKENS_TOO_LARGE: {
    means: 'What is personal in it is too much, or too long, to be put under tokens: it goes to nobody.',
    mend: 'Ask for less at once; at most 1024 different texts of 4096 characters are put under tokens.',
    agentSees: 'INVALID',
  },
  KNOWLEDGE_FULL: {
    means: 'The memory of the agent, or the source, holds as many entries as it may.',
    mend: 'Raise entries_max or pieces_max, or let entries end sooner.',
    agentSees: 'UNAVAILABLE',
  },
  KNOWLEDGE_CLEARANCE: {
    means: 'What the agent has read is classified above its own clearance, and may not be kept for it.',
    mend: 'Look at how it came to read it.',
    agentSees: 'REFUSED',
  },
  KNOWLEDGE_UNAVAILABLE: {
    means: 'The store, its keys or the recorder could not be asked just now: nothing was given or kept.',
    mend: 'Look at the node, its KMS and its disk; the operator log has the reason.',
    agentSees: 'UNAVAILABLE',
  },
  KNOWLEDGE_STORE_LIBRARY: {
    means: 'The mesh file names a Postgres database and the package pg is not installed.',
    mend: 'npm install pg beside maso.',
    agentSees: 'UNAVAILABLE',
  },
  KNOWLEDGE_STORE_PASSWORD: {
    means: 'The file with the password of the store is absent, or others may read it.',
    mend: 'Write it with mode 0600 under the user of the node.',
    agentSees: 'UNAVAILABLE',
  },
  KNOWLEDGE_STORE_VECTOR: {
    means: 'The database of the store lacks the extension vector, and the user may not make it.',
    mend: 'Install pgvector; as an administrator of the database: CREATE EXTENSION vector.',
    agentSees: 'UNAVAILABLE',
  },
  KNOWLEDGE_STORE_FOREIGN: {
    means: 'The schema of the store holds the items of a node with another state directory.',
    mend: 'Give this mesh a schema of its own under knowledge_store.schema.',
    agentSees: 'UNAVAILABLE',
  },
  KNOWLEDGE_ALTERED: {
    means: 'A kept entry does not open, or is not what was kept: somebody changed the store.',
    mend: 'It is quarantined. Find out who writes to the store; ingest the document again.',
    agentSees: 'REFUSED',
  },
  KNOWLEDGE_INCOMPLETE: {
    means: 'A document of a source lacks pieces that it had when it was ingested.',
    mend: 'Find out who writes to the store; ingest the document again.',
    agentSees: 'REFUSED',
  },
  KNOWLEDGE_STALE: {
    means: 'A document is older than the source allows, and is not served.',
    mend: 'Ingest it again once somebody has looked at whether it still holds.',
    agentSees: 'REFUSED',
  },
  KNOWLEDGE_SUPERSEDED: {
    means: 'A document was replaced by a later version, and is not served.',
    mend: 'Look at whether what was built on it still holds: maso knowledge list shows the readers.',
    agentSees: 'REFUSED',
  },
  KNOWLEDGE_SUSPECT: {
    means: 'A control found something in the text: words that give orders, a secret, hidden text.',
    mend: 'Read it, then clear it with maso knowledge clear, or quarantine it.',
    agentSees: 'REFUSED',
  },
  KNOWLEDGE_CONTRADICTS: {
    means: 'An entry of memory contradicts an older one that its writer had not read.',
    mend: 'Look at which of both holds; clear it, or quarantine it with what followed from it.',
    agentSees: 'REFUSED',
  },
  KNOWLEDGE_QUARANTINED: {
    means: 'An operator put the entry aside, or it follows from one that was; or the run that asks was given one.',
    mend: 'Nothing: it is not served any more, and such a run ends.',
    agentSees: 'REFUSED',
  },
  KNOWLEDGE_DOCUMENT_TWICE: {
    means: 'One order takes in two documents of the same name.',
    mend: 'Give them different names: the later one would replace the other.',
    agentSees: 'INVALID',
  },
  KNOWLEDGE_ITEM_UNKNOWN: {
    means: 'No kept entry, document or source has that name.',
    mend: 'Give a whole id or name as maso knowledge list and maso memory list show it.',
    agentSees: 'REFUSED',
  },
  KNOWLEDGE_ORDER_ROLE: {
    means: 'The operator has no right to change what agents may look up.',
    mend: 'Ask somebody with the role security or ciso.',
    agentSees: 'REFUSED',
  },
  KNOWLEDGE_ORDER_CHANGED: {
    means: 'What came with an order is not what its operator signed, or the order is too old.',
    mend: 'Give the order again; look at who stands between the command and the node.',
    agentSees: 'REFUSED',
  },
} as const satisfies CodeTable;

export type KnowledgeCode = keyof typeof knowledgeCodes;
