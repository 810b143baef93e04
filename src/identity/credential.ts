// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import type { Lineage, SvidStatement } from './svid-statement.ts';

/** An X.509-SVID with its private key. Only the sidecar (or node) that owns it ever holds one. */
export type Credential = {
  /** `spiffe://TRUST-DOMAIN/agent/NAME/INSTANCE` or `spiffe://TRUST-DOMAIN/node/NAME`. */
  readonly spiffeId: string;
  /** Leaf first, PEM. */
  readonly chainPem: string;
  readonly privateKey: KeyObject;
  /** SHA-256 of the leaf's DER, base64url: the JWS header `x5t#S256`. */
  readonly thumbprint: string;
  readonly notBeforeMs: number;
  readonly expiresAtMs: number;
  /** Where its holder was spawned; null for agents of the mesh file. */
  readonly lineage: Lineage | null;
};

/** Who a certificate says its holder is, after its chain was verified. */
export type PeerIdentity = {
  readonly spiffeId: string;
  readonly kind: 'agent' | 'node';
  /** The agent's name in the mesh file, or the node's name. */
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly thumbprint: string;
  readonly notBeforeMs: number;
  readonly expiresAtMs: number;
  /** Where it was spawned; null or absent for agents of the mesh file. */
  readonly lineage?: Lineage | null;
};

export type IssueRequest = {
  readonly csrPem: string;
  readonly spiffeId: string;
  readonly lifetimeMs: number;
  /** What the certificate says of its holder; absent: nothing. */
  readonly statement?: SvidStatement;
};

export type IssuedSvid = {
  readonly chainPem: string;
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly expiresAtMs: number;
};

/**
 * Issues X.509-SVIDs. `issue` checks the CSR's proof of possession and takes only the public key
 * from it; the name comes from `spiffeId`. Rejects with `IdentityError`. `bundlePem` is what peers
 * trust.
 */
export interface Authority {
  issue(request: IssueRequest): Promise<IssuedSvid>;
  bundlePem(): string;
}

/** A secret as a `Kms` wrapped it. */
export type Wrapped = { readonly wrapped: Uint8Array; readonly context: string };

/**
 * Wraps and unwraps small secrets (keys) at rest. The context is bound as authenticated data; a
 * wrapped value opened under another context rejects with `KMS_UNWRAP_FAILED`.
 */
export interface Kms {
  wrap(plain: Uint8Array, context: string): Promise<Uint8Array>;
  unwrap(wrapped: Uint8Array, context: string): Promise<Uint8Array>;
}
