// SPDX-License-Identifier: Apache-2.0

/** A data key as the node keeps it: wrapped by the `Kms` under its id and binding. */
export type DataKeyRecord = {
  readonly id: string;
  readonly binding: string;
  readonly wrapped: Uint8Array;
  /** No message sealed with it is on its way any more; milliseconds since 1970. */
  readonly expiresAt: number;
};

/** Wrapped data keys of one node; it holds nothing that opens a payload by itself. */
export interface DataKeyStore {
  /** Resolves when it is durable; an id that is known already keeps its first record. */
  add(record: DataKeyRecord): Promise<void>;
  get(id: string): DataKeyRecord | null;
  /** Ids in ascending order after `after`. */
  ids(after: string, limit: number): readonly string[];
  /** Puts the same key in under another wrapping; resolves when it is durable. */
  rewrapped(id: string, wrapped: Uint8Array): Promise<void>;
  prune(nowMs: number): Promise<void>;
}
