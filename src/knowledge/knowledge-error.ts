// SPDX-License-Identifier: Apache-2.0
import type { KnowledgeCode } from './codes.ts';

/** The store of kept items, or a key to it, failed. */
export class KnowledgeError extends Error {
  readonly code: KnowledgeCode;
  constructor(code: KnowledgeCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'KnowledgeError';
    this.code = code;
  }
}
