// SPDX-License-Identifier: Apache-2.0

/** Wall clock, milliseconds since 1970. The implementation never goes below what it said before. */
export type Clock = { readonly nowMs: () => number };

/** Cryptographically random bytes; the only source of ids, nonces and tokens. */
export type Random = { readonly bytes: (count: number) => Uint8Array };
