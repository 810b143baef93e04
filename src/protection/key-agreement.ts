// SPDX-License-Identifier: Apache-2.0

/** A data key sealed to one recipient (RFC 9180); both members base64url. */
export type SealedKey = { readonly enc: string; readonly wrapped: string };

/**
 * Seals small secrets to the holder of a key pair. The context is bound: under another one, or with
 * one byte changed, nothing opens.
 */
export interface KeyAgreement {
  generate(): Promise<KeyHolder>;
  /** Null when `publicKey` is no key. */
  sealTo(publicKey: string, plain: Uint8Array, context: string): Promise<SealedKey | null>;
}

/** A key pair whose private half never leaves this process, nor is written anywhere. */
export interface KeyHolder {
  /** Base64url of the 32 bytes of an X25519 key. */
  readonly publicKey: string;
  /** Null when it does not open. */
  open(sealed: SealedKey, context: string): Promise<Uint8Array | null>;
}
