// SPDX-License-Identifier: Apache-2.0
import type { Call } from './sidecar-http.ts';

type Ask = (call: Call) => Promise<{ readonly [member: string]: unknown }>;

/** What was kept, or is given of memory and knowledge. */
export type KnownItem = {
  readonly id: string;
  readonly value: unknown;
  readonly label: {
    readonly classification: string;
    readonly integrity: string;
    readonly origins: readonly string[];
  };
  readonly origin: string;
  readonly document: string | null;
  readonly part: number;
  /** Milliseconds since 1970. */
  readonly writtenAt: number;
  /** Of memory 1 when fresh, half as much after each half-life; of knowledge how near it is. */
  readonly weight: number;
};

export type Known = {
  readonly verdict: 'GO' | 'NO-GO';
  readonly code: string | null;
  readonly items: readonly KnownItem[];
  readonly task: string | null;
  readonly traceId: string | null;
};

/** The agent's own memory beyond this process, where the mesh file gives it one. */
export type Memory = {
  /** Keeps a value, for a task that the agent stands in; `item` is its id, null when it was refused. */
  readonly remember: (
    value: unknown,
    options?: { readonly task?: string },
  ) => Promise<Omit<Known, 'items'> & { readonly item: string | null }>;
  /** Newest first; `where` names exact values of members that the mesh file indexes. */
  readonly recall: (options?: {
    readonly task?: string;
    readonly where?: { readonly [member: string]: string | number | boolean };
    readonly limit?: number;
  }) => Promise<Known>;
};

export type Knowledge = {
  /** Pieces of documents near to a text: data of a third party, whatever they say. */
  readonly query: (
    source: string,
    text: string,
    options?: { readonly task?: string; readonly limit?: number },
  ) => Promise<Known>;
};

export function memoryThrough(call: Ask): Memory {
  return {
    remember: async (value, options = {}) => {
      const { items, ...known } = knownOf(await call({ path: '/v1/memory/remember', body: { value, ...options } }));
      return { ...known, item: items[0]?.id ?? null };
    },
    recall: async (options = {}) => knownOf(await call({ path: '/v1/memory/recall', body: options })),
  };
}

export function knowledgeThrough(call: Ask): Knowledge {
  return {
    query: async (source, text, options = {}) =>
      knownOf(await call({ path: '/v1/knowledge/query', body: { source, text, ...options } })),
  };
}

function knownOf(answer: { readonly [member: string]: unknown }): Known {
  const { verdict, code, items, task, traceId } = answer;
  return {
    verdict: verdict === 'GO' ? 'GO' : 'NO-GO',
    code: typeof code === 'string' ? code : null,
    items: Array.isArray(items) ? items : [],
    task: typeof task === 'string' ? task : null,
    traceId: typeof traceId === 'string' ? traceId : null,
  };
}
